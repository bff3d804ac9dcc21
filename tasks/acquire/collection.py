"""Files found become a collection: pictures in the image store, one row per file in a manifest."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import NamedTuple

import pandas as pd

from storage import manifests
from storage.errors import NoUsablePictures
from storage.images import ImageStore
from storage.references import CollectionRef
from storage.statuses import Status
from storage.workspace import Workspace
from tasks.acquire.files import Found
from tasks.acquire.gathering import Gathering
from tasks.acquire.layout.understanding import understand
from tasks.acquire.natural_order import natural_key
from tasks.acquire.parameters import Labels
from tasks.acquire.said import NOTHING, Layout, Place, Said
from tasks.acquire.tables.files import TableFile
from tasks.running.progress import Advance

COLUMNS = (
    "name", "label", "source", "image", "bytes", "status", "reason",
    "split", "known_group", "time", "file_time",
)  # fmt: skip
MOST_REMARKS = 30
WRITTEN = {status: str(status) for status in Status}

Labeller = Callable[[str], str]


class Collected(NamedTuple):
    """The source's name, to be shown, its rows (COLUMNS), and how it was understood, in sentences.

    The first of them says what it is.
    """

    origin: str
    table: pd.DataFrame
    remarks: tuple[str, ...] = ()


@dataclass
class Files:
    """What was found in a source: its files without their bytes, and those that may be tables.

    `images` are the stored names of the files that were read ('' for others), `sizes` their bytes,
    `times` whether when a file was written counts: that is no part of what a source holds.
    """

    found: list[Found] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    tables: list[TableFile] = field(default_factory=list)
    times: bool = False

    def places(self) -> tuple[list[int], list[Place]]:
        """The files that are pictures, and where each lies."""
        numbers = [i for i, one in enumerate(self.found) if one.status is Status.KEPT]
        pictures = [self.found[i] for i in numbers]
        return numbers, [Place(_place(one), _folders(one), one.said) for one in pictures]


def gather(
    files: Iterable[Found], images: ImageStore | None, advance: Advance, *, times: bool = False
) -> Files:
    """Go through a source once; pictures are stored on the way where there is a store."""
    gathered = Files(times=times)
    for found in files:
        stored = found.data is not None and images is not None
        gathered.images.append(images.add(found.data) if stored else found.image)  # type: ignore[union-attr, arg-type]
        gathered.sizes.append(len(found.data) if found.data is not None else found.size)
        if found.table is not None:
            gathered.tables.append(_placed(found, found.table))
        let_go = found.data is not None or found.table is not None
        gathered.found.append(replace(found, data=None, table=None) if let_go else found)
        advance(1)
    return gathered


def _placed(found: Found, file: TableFile) -> TableFile:
    """The table where its file lies, archives in the source being folders."""
    name = _place(found)
    if file.table is None or not found.inner:
        return replace(file, name=name)
    return replace(file, name=name, table=replace(file.table, name=name, folder=name))


def _folders(found: Found) -> tuple[str, ...]:
    parts = tuple(part for part in _place(found).split("/")[:-1] if part not in ("", "."))
    if not found.inner:
        return parts
    archives = () if found.inner.lower().endswith(".zip") else PurePosixPath(found.inner).parts[-1:]
    return tuple(part for part in parts if part not in archives)


def _place(found: Found) -> str:
    """The name with the archive that holds it as a folder; `cat.zip` holds cats."""
    if not found.inner:
        return found.name
    inner = PurePosixPath(found.inner)
    folder = inner.with_suffix("") if inner.suffix.lower() == ".zip" else inner
    name = PurePosixPath(found.name)
    same = name.parts[:1] == folder.parts[-1:]
    return (folder.parent / name if same else folder / name).as_posix()


def collect(files: Iterable[Found], source: Labels, origin: str, gathering: Gathering) -> Collected:
    """One row per file, in natural order of names; labels as the source's layout says them."""
    gathered = gather(files, gathering.images, gathering.advance, times=source.file_times)
    layout, said = understood(gathered, source, gathering.lists)
    remarks = tuple(layout.remarks)
    if layout.found:
        remarks = (f"understood as {layout.found}", *remarks)
    return Collected(origin, table_of(gathered, said, origin), remarks)


def understood(
    files: Files, source: Labels, lists: Mapping[str, str]
) -> tuple[Layout, dict[int, Said]]:
    """The layout of a source that was gone through, and what it says of each picture's file."""
    numbers, places = files.places()
    layout = understand(places, files.tables, source, lists)
    return layout, dict(zip(numbers, layout.pictures, strict=True))


def collect_labelled(
    files: Iterable[Found], label_of: Labeller, origin: str, gathering: Gathering
) -> Collected:
    """The same where a name alone tells the label."""
    gathered = gather(files, gathering.images, gathering.advance)
    said = {i: Said(label_of(one.name)) for i, one in enumerate(gathered.found)}
    return Collected(origin, table_of(gathered, said, origin))


def table_of(
    files: Files, said: Mapping[int, Said], origin: str, *, ordered: bool = True
) -> pd.DataFrame:
    """A row per file (COLUMNS), in natural order of names, with what is `said` of each.

    Or in the order of the source: natural order takes as much memory again.
    """
    rows = [
        (
            *_row(found, said.get(i, NOTHING), origin, files.images[i], files.sizes[i]),
            found.time if files.times else "",
        )
        for i, found in enumerate(files.found)
    ]
    if ordered:
        rows.sort(key=lambda row: (natural_key(str(row[0])), str(row[0])))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(found: Found, said: Said, origin: str, image: str, size: int) -> tuple[str | int, ...]:
    # A name may hold bytes that are no text; tables and pages hold only text.
    name = _text(found.name)
    label = _text(said.label)
    status, reason = found.status, found.reason
    if status is Status.KEPT and not label:
        status, reason = said.status, said.reason or "no label"
    elif status is not Status.KEPT:
        size = 0
    return (
        name, label, origin, image, size, WRITTEN[status], _text(reason), said.split,
        _text(said.group), _text(said.time),
    )  # fmt: skip


def _text(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def save(workspace: Workspace, collected: Collected) -> CollectionRef:
    """The reference to the stored table; NoUsablePictures when no row is a labelled picture."""
    table = collected.table
    kept = int((table["status"] == Status.KEPT).sum())
    if not kept:
        raise NoUsablePictures(_nothing(collected, table))
    digest, path = manifests.save(workspace.manifests, table)
    return CollectionRef(
        digest=digest,
        where=workspace.relative(path),
        bytes=path.stat().st_size,
        images=kept,
        rows=len(table),
        remarks=collected.remarks[:MOST_REMARKS],
    )


def _nothing(collected: Collected, table: pd.DataFrame) -> str:
    more = "".join(f" {remark}." for remark in collected.remarks[1:4])
    return (
        f"expected labelled pictures in {collected.origin}, found {counted(table) or 'no files'}. "
        f"Is it complete?{more} A label is the folder that a picture is in, the beginning of its "
        "name, or a row of a table: `darkroom inspect` says what is there"
    )


def counted(table: pd.DataFrame) -> str:
    """How many rows have which status, and the commonest reason: `2 truncated (…), 1 empty (…)`."""
    said = []
    for status, count in table["status"].value_counts().items():
        reason = table.loc[table["status"] == status, "reason"].mode().iloc[0]
        said.append(f"{count} {status}" + (f" ({reason})" if reason else ""))
    return ", ".join(said)
