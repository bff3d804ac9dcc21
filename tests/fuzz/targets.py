"""What is fuzzed: a reader of strangers' bytes each, and the errors that it may raise.

Every target takes bytes and returns nothing. An error of ours says what is wrong with them; any
other error is a finding.
"""

import asyncio
import contextlib
import tempfile
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

from fastapi import HTTPException
from starlette.requests import Request

from flows import experiments
from flows.settings import experiment_of
from storage import digests, manifests
from storage.errors import DarkroomError, ParameterError, SourceError, StorageDamaged
from storage.shards import ShardStore
from tasks.acquire.archives import reading as archives
from tasks.acquire.tables import files as table_files
from tasks.acquire.tables import reading as tables
from tasks.acquire.tables.files import TableFile
from tasks.acquire.web import robots, url_lists
from tasks.features import keras_file
from tasks.serve.limits import Limits
from tasks.serve.request_bodies import Room, pictures_in

MOST_UNPACKED, MOST_OF_ONE, MOST_ROWS = 1 << 22, 1 << 20, 5000
# What the first byte of a table decides.
TABLE_SUFFIXES = sorted(table_files.TABLE_SUFFIXES)
LISTED = {"tench": "n01440764", "cat": "n02121808"}
# A form comes in as many pieces as a slow client sends.
PIECE = 97


def zips(data: bytes) -> None:
    """An archive of any kind, under the name of a zip: every file of it, its tables as well."""
    _archive("photos.zip", data)


def tars(data: bytes) -> None:
    """A tar, plain or packed."""
    _archive("photos.tar.gz", data)


def _archive(name: str, data: bytes) -> None:
    with _file(name, data) as path, contextlib.suppress(SourceError):
        for found in archives.files_of(
            path, max_total_bytes=MOST_UNPACKED, max_file_bytes=MOST_OF_ONE
        ):
            if found.table is not None:
                _read_rows(found.table)


def label_tables(data: bytes) -> None:
    """A table of labels; its first byte says which suffix it has."""
    if not data:
        return
    suffix = TABLE_SUFFIXES[data[0] % len(TABLE_SUFFIXES)]
    with _file(f"labels{suffix}", data[1:]) as path:
        _read_rows(TableFile(path.name, len(data) - 1, path))


def _read_rows(file: TableFile) -> None:
    with contextlib.suppress(DarkroomError):
        table = tables.read(file)
        if table is not None:
            assert all(type(cell) is str for row in _some(table.rows()) for cell in row)


def _some(rows: Iterable[list[str]]) -> Iterator[list[str]]:
    return islice(rows, MOST_ROWS)


def address_lists(data: bytes) -> None:
    """A list of addresses, as a site's answer or as a file."""
    with _file("list.txt", data) as path, contextlib.suppress(SourceError):
        found = url_lists.addresses(path, LISTED)
        assert all(type(one) is str for some in found.values() for one in some)


def robots_txt(data: bytes) -> None:
    """What a site forbids."""
    rules = robots.parsed(data)
    for address in ("http://a.example/", "http://a.example/cat.jpg?x=1#y", "http://a.example/%ff"):
        rules.refusal(address)
    assert 0 <= rules.seconds_between_requests <= robots.LONGEST_CRAWL_DELAY_SECONDS


def forms(data: bytes) -> None:
    """A request's body; its first line is what stands behind `multipart/form-data;`."""
    kind, _, body = data.partition(b"\n")
    with contextlib.suppress(HTTPException):
        asyncio.run(_posted(b"multipart/form-data;" + kind, body))


async def _posted(kind: bytes, data: bytes) -> None:
    pieces = [data[start : start + PIECE] for start in range(0, len(data), PIECE)] or [b""]
    waiting = iter(pieces)

    async def receive() -> dict[str, object]:
        piece = next(waiting, None)
        if piece is None:
            return {"type": "http.disconnect"}
        more = piece is not pieces[-1]
        return {"type": "http.request", "body": piece, "more_body": more}

    request = Request({"type": "http", "headers": [(b"content-type", kind)]}, receive)
    with Room(Limits()).body() as body:
        found = await pictures_in(request, body)
    assert sum(map(len, found)) <= len(data)


def settings(data: bytes) -> None:
    """A line for each `--set`, over the experiment of the digits."""
    tree = dict(experiments.deployments()["digits"]["parameters"])
    words = data.decode("utf-8", "surrogateescape").split("\n")
    with contextlib.suppress(ParameterError):
        experiment_of(tree, words)


def shards(data: bytes) -> None:
    """An Arrow file that a stranger wrote, under the name that its bytes ask for."""
    with tempfile.TemporaryDirectory() as folder:
        store = ShardStore(Path(folder))
        path = store.folder / "shard.arrow"
        path.write_bytes(data)
        path = path.rename(store.folder / f"{digests.of_file(path)[:32]}.arrow")
        batch = store.open(path)
        assert batch is None or all(type(name) is str for name in store.index())


def tables_stored(data: bytes) -> None:
    """A Parquet file in the place of a manifest."""
    with _file("manifest.parquet", data) as path:
        manifests.is_whole(path)
        with contextlib.suppress(StorageDamaged):
            manifests.load(path)


def keras_files(data: bytes) -> None:
    """A model that somebody sent."""
    with _file("model.keras", data) as path:
        with contextlib.suppress(DarkroomError):
            keras_file.require_plain(path)
        with contextlib.suppress(DarkroomError):
            keras_file.own(path)


@contextlib.contextmanager
def _file(name: str, data: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        yield path


TARGETS: dict[str, Callable[[bytes], None]] = {
    "zips": zips,
    "tars": tars,
    "label_tables": label_tables,
    "address_lists": address_lists,
    "robots_txt": robots_txt,
    "forms": forms,
    "settings": settings,
    "shards": shards,
    "manifests": tables_stored,
    "keras_files": keras_files,
}
