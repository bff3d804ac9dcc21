"""The files of a tar, read from front to back."""

import tarfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import IO, Any, cast

from tasks.acquire.archives.budget import (
    BLOCK,
    Budget,
    picture,
    plain_name,
    refused,
    with_table,
)
from tasks.acquire.files import Found, unwanted
from tasks.acquire.unreadable import UNREADABLE

# What stands before one entry of a tar: long names, attributes, maps of sparse files.
LARGEST_HEADERS = 1 << 16


def is_tar(stream: IO[bytes]) -> bool:
    """Whether the stream, put back to its beginning, opens as a tar."""
    try:
        with _opened_tar(stream):
            return True
    except UNREADABLE:
        return False
    finally:
        stream.seek(0)


def files_of(stream: IO[bytes], budget: Budget) -> Iterator[Found]:
    """Every file of the tar."""
    names: set[str] = set()
    with _opened_tar(stream) as archive:
        for entry in _entries(archive):
            if not entry.isdir():
                yield _entry(archive, entry, names, budget)
        _read_to_the_end(archive, budget)


def _entry(
    archive: tarfile.TarFile, entry: tarfile.TarInfo, names: set[str], budget: Budget
) -> Found:
    name = plain_name(entry.name)
    early = refused(name, names, is_link=not entry.isfile()) or unwanted(name)
    opened = _opener(archive, entry)
    if early is not None:
        found = with_table(early, entry.size, opened, budget) if entry.isfile() else early
    else:
        found = picture(name, entry.size, opened, budget, _time(entry))
    if found.data is None and found.table is None:
        # A tar is read from front to back: what is skipped is unpacked too.
        budget.spend(entry.size)
    return found


def _time(entry: tarfile.TarInfo) -> str:
    try:
        return datetime.fromtimestamp(entry.mtime, UTC).isoformat()[:19]
    except (ValueError, OverflowError, OSError):
        return ""


class _Headers:
    """The stream of a tar while the headers of one entry are read: so many bytes and no more."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._left = LARGEST_HEADERS

    def read(self, size: int) -> bytes:
        """The next `size` bytes; ReadError, and nothing is read, where that is too much."""
        self._left -= size
        if self._left < 0:
            raise tarfile.ReadError(f"an entry has headers of more than {LARGEST_HEADERS:,} bytes")
        return self._stream.read(size)

    def tell(self) -> int:
        """Where the stream stands."""
        return self._stream.tell()


class StrictTarInfo(tarfile.TarInfo):
    """An entry of a tar; a damaged header is an error, where Python's own takes it for the end.

    Its headers are bounded: Python's own reads names and maps of any length into memory.
    """

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> "StrictTarInfo":
        """The next entry; ReadError if there is none and no end mark either."""
        stream: Any = archive.fileobj
        if isinstance(stream, _Headers):  # the entry that an extended header belongs to
            return cls._next(archive)
        archive.fileobj = cast("Any", _Headers(stream))
        archive.pax_headers = {}  # else headers meant for all entries pile up
        try:
            return cls._next(archive)
        finally:
            archive.fileobj = stream

    @classmethod
    def _next(cls, archive: tarfile.TarFile) -> "StrictTarInfo":
        try:
            entry = super().fromtarfile(archive)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]  # the stubs lack it
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error)) from error
        if entry.size < 0:
            raise tarfile.ReadError("an entry of negative size")
        return entry


def _opened_tar(stream: IO[bytes]) -> tarfile.TarFile:
    return tarfile.open(fileobj=stream, mode="r:*", tarinfo=StrictTarInfo)


def _entries(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (entry := archive.next()) is not None:
        yield entry
        # It keeps them all, for whoever asks for one by name.
        archive.members.clear()  # type: ignore[attr-defined]  # the stubs lack it


def _read_to_the_end(archive: tarfile.TarFile, budget: Budget) -> None:
    # The checksum of a compressed tar comes last.
    assert archive.fileobj is not None
    while block := archive.fileobj.read(BLOCK):
        budget.spend(len(block))


def _opener(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> Callable[[], IO[bytes]]:
    def open_entry() -> IO[bytes]:
        stream = archive.extractfile(entry)
        assert stream is not None  # only regular files come here
        return stream

    return open_entry
