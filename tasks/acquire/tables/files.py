"""Files that may hold a table, wherever they lie: on disk, or taken out of an archive."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from storage.names import suffix_of_name
from tasks.acquire.tables.table import Row, Table

IN_MEMORY = 1 << 20
TABLE_SUFFIXES = frozenset(
    {".csv", ".tsv", ".txt", ".lst", ".xlsx", ".json", ".jsonl", ".ndjson", ".parquet"}
)
# What may name the classes.
NAME_SUFFIXES = frozenset({".yaml", ".yml", ".names"})
# What lies beside a picture and says its class, as in WebDataset.
SIDE_SUFFIXES = frozenset({".cls", ".txt", ".json"})
SMALL = 1 << 16
MOST_BYTES = 1 << 30


@dataclass(frozen=True)
class TableFile:
    """A file with its name in the source; its bytes are on disk, or in memory while they are few.

    `inside` is whether the name is one in the source: a table that lies elsewhere has no folder
    there that names could be relative to. `table` is the one that was read already, where the file
    holds pictures as well.
    """

    name: str
    size: int
    path: Path | None = None
    held: IO[bytes] | None = field(default=None, repr=False)
    inside: bool = True
    table: Table | None = None

    @property
    def suffix(self) -> str:
        """In lower case, with its dot."""
        return suffix_of_name(self.name)

    @property
    def folder(self) -> str:
        """The folder of the source that holds it; '' at the top."""
        parent = PurePosixPath(self.name).parent.as_posix()
        return "" if parent == "." or not self.inside else parent

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """A stream at its beginning."""
        if self.path is not None:
            with self.path.open("rb") as stream:
                yield stream
            return
        assert self.held is not None
        self.held.seek(0)
        yield self.held

    def beginning(self, number: int) -> bytes:
        """At most so many of its first bytes."""
        with self.opened() as stream:
            return stream.read(number)


def of_stream(name: str, stream: IO[bytes], limit: int) -> TableFile | None:
    """The rest of `stream`, kept; None if it is longer than `limit` bytes."""
    kept = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - lives with the table
    shutil.copyfileobj(_Bounded(stream, limit + 1), kept)
    size = kept.tell()
    return TableFile(name, size, held=kept) if size <= limit else None


def of_rows(name: str, header: tuple[str, ...], rows: list[Row]) -> TableFile:
    """A table that is in memory."""
    table = Table(name, lambda: iter(rows), header=header)
    return TableFile(name, len(rows), table=table)


def may_be_table(name: str) -> bool:
    """Whether the name is one of a table, a list, or of what lies beside one picture."""
    return suffix_of_name(name) in TABLE_SUFFIXES | SIDE_SUFFIXES | NAME_SUFFIXES


class _Bounded:
    def __init__(self, stream: IO[bytes], left: int) -> None:
        self._stream, self._left = stream, left

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        return data
