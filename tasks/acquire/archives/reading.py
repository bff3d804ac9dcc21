"""The files of an archive, whatever its kind: its bytes tell, not its name."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO

from storage.errors import SourceDamaged, SourceMissing
from tasks.acquire.archives import parquet_pictures, sevenzip, tars, tfrecords, zips
from tasks.acquire.archives.budget import Budget
from tasks.acquire.files import Found
from tasks.acquire.unreadable import UNREADABLE

RAR = b"Rar!\x1a\x07"
# What an archive is called, on the way to which folder it may lie.
SUFFIXES = (
    ".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".7z", ".rar",
    ".parquet", *tfrecords.SUFFIXES,
)  # fmt: skip


def is_archive(name: str) -> bool:
    """Whether a file is called as an archive, or as another file that holds many pictures."""
    return name.lower().endswith(SUFFIXES) or tfrecords.is_tfrecord(name)


def files_of(
    path: Path, *, max_total_bytes: int, max_file_bytes: int, pictures: bool = True
) -> Iterator[Found]:
    """Every file of the archive; damaged entries are rows, a damaged container is an error.

    Without `pictures` those are only named, and not read.
    """
    if not path.is_file():
        raise SourceMissing(
            f"expected an archive at {path}, found none: put the zip or tar there, or say where it "
            "is with --set source.archive=PATH"
        )
    budget = Budget(path, max_total_bytes, max_file_bytes, pictures)
    with path.open("rb") as stream:
        yield from _files(stream, path.name, budget, 1)


def _files(stream: IO[bytes], name: str, budget: Budget, depth: int) -> Iterator[Found]:
    head = stream.read(8)
    stream.seek(0)
    if head.startswith(RAR):
        raise SourceDamaged(
            f"{name} is a RAR archive, which cannot be read: unpack it and name the folder in "
            "source.folder, or pack it as a zip"
        )
    if head.startswith(sevenzip.SIGNATURE):
        yield from sevenzip.files_of(stream, budget.archive, budget)
    elif parquet_pictures.is_parquet(stream):
        yield from parquet_pictures.files_of(stream, name, budget)
    elif tfrecords.is_tfrecord(name):
        yield from tfrecords.files_of(stream, name, budget)
    else:
        yield from _zip_or_tar(stream, name, budget, depth)


def _zip_or_tar(stream: IO[bytes], name: str, budget: Budget, depth: int) -> Iterator[Found]:
    try:
        # Looked for first: a tar whose last file is a zip ends like one.
        if tars.is_tar(stream):
            yield from tars.files_of(stream, budget)
        else:
            yield from zips.files_of(stream, budget, depth, _zip_or_tar)
    except UNREADABLE as error:
        reason = str(error).partition("\n")[0]
        raise SourceDamaged(
            f"{name} is not a whole zip or tar ({reason}): expected an archive that opens, found "
            f"one that is truncated or of another kind. Fetch {budget.archive} again"
        ) from error
