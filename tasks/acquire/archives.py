"""Files of a zip or tar, zips inside zips included, read without unpacking and within limits.

Names are never used as paths: pictures go to the content-addressed store. Names that try to leave
their folder are still set aside, since whoever made them meant harm.
"""

import contextlib
import lzma
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from storage import atomic
from storage.errors import SourceDamaged, SourceMissing, SourceTooLarge
from storage.statuses import Status
from tasks.acquire.files import Found, is_unsafe, unwanted

BLOCK = 1 << 20
DEEPEST = 3
# What stands before one entry of a tar: long names, attributes, maps of sparse files.
LARGEST_HEADERS = 1 << 16
UNREADABLE = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, RuntimeError,
    OSError, ValueError,
)  # fmt: skip


@dataclass
class Budget:
    """How many bytes may still be unpacked; real bytes count, declared sizes only warn early."""

    archive: Path
    total: int
    per_file: int
    spent: int = 0

    def spend(self, count: int) -> None:
        """Take `count` bytes; SourceTooLarge when they are not left."""
        self.spent += count
        if self.spent > self.total:
            raise SourceTooLarge(
                f"{self.archive} unpacks to more than {self.total:,} bytes: expected an archive of "
                "pictures, found what may be a decompression bomb. If it is genuine, raise "
                "source.max_total_bytes"
            )

    def read(self, stream: IO[bytes]) -> bytes | None:
        """The rest of `stream`, or None if it is longer than one picture file may be."""
        data = stream.read(self.per_file + 1)
        self.spend(len(data))
        return data if len(data) <= self.per_file else None

    def copy(self, stream: IO[bytes], target: IO[bytes]) -> None:
        """Copy `stream`, block by block, within the budget."""
        while block := stream.read(BLOCK):
            self.spend(len(block))
            target.write(block)


def files_of(path: Path, *, max_total_bytes: int, max_file_bytes: int) -> Iterator[Found]:
    """Every file of the archive; damaged entries are rows, a damaged container is an error."""
    if not path.is_file():
        raise SourceMissing(
            f"expected an archive at {path}, found none: put the zip or tar there, or say where it "
            "is with --set source.archive=PATH"
        )
    budget = Budget(path, max_total_bytes, max_file_bytes)
    with path.open("rb") as stream:
        yield from _files(stream, path.name, budget, depth=1)


def _files(stream: IO[bytes], name: str, budget: Budget, depth: int) -> Iterator[Found]:
    try:
        # Looked for first: a tar whose last file is a zip ends like one.
        if _is_tar(stream):
            yield from _tar(stream, budget)
        else:
            yield from _zip(stream, budget, depth)
    except UNREADABLE as error:
        reason = str(error).partition("\n")[0]
        raise SourceDamaged(
            f"{name} is not a whole zip or tar ({reason}): expected an archive that opens, found "
            f"one that is truncated or of another kind. Fetch {budget.archive} again"
        ) from error


def _is_tar(stream: IO[bytes]) -> bool:
    try:
        with _opened_tar(stream):
            return True
    except UNREADABLE:
        return False
    finally:
        stream.seek(0)


def _zip(stream: IO[bytes], budget: Budget, depth: int) -> Iterator[Found]:
    names: set[str] = set()
    with zipfile.ZipFile(stream) as archive:
        for entry in archive.infolist():
            if not entry.is_dir():
                yield from _zip_entry(archive, entry, names, budget, depth)


def _zip_entry(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, names: set[str], budget: Budget, depth: int
) -> Iterator[Found]:
    name = entry.filename.replace("\\", "/")  # some zips made on Windows
    is_link = stat.S_ISLNK(entry.external_attr >> 16)
    early = _refused(name, names, is_link=is_link) or unwanted(name)
    inner = early is not None and _is_inner_zip(early, depth)
    early = None if inner else early
    if early is None and entry.flag_bits & 0x1:
        early = Found(name, None, Status.ENCRYPTED, "needs a password: unpack it first")
    if early is not None:
        yield early
    elif inner:
        yield from _inner_zip(archive, entry, budget, depth)
    else:
        yield _picture(name, entry.file_size, lambda: archive.open(entry), budget)


def _is_inner_zip(found: Found, depth: int) -> bool:
    named_so = found.status is Status.NOT_A_PICTURE and found.name.lower().endswith(".zip")
    return named_so and depth < DEEPEST


def _inner_zip(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: Budget, depth: int
) -> Iterator[Found]:
    name = entry.filename.replace("\\", "/")
    with _unpacked(archive, entry, budget) as copy:
        for found in _files(copy, entry.filename, budget, depth + 1):
            yield replace(found, inner=f"{name}/{found.inner}" if found.inner else name)


@contextlib.contextmanager
def _unpacked(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: Budget
) -> Iterator[IO[bytes]]:
    with _temporary_file() as copy:
        try:
            with archive.open(entry) as stream, _temporary_space():
                budget.copy(stream, copy)
        except UNREADABLE as error:
            raise SourceDamaged(
                f"{entry.filename} in {budget.archive} is damaged ({error}): fetch it again"
            ) from error
        copy.seek(0)
        yield copy


def _temporary_space() -> contextlib.AbstractContextManager[None]:
    return atomic.explained(Path(tempfile.gettempdir()))


@contextlib.contextmanager
def _temporary_file() -> Iterator[IO[bytes]]:
    with _temporary_space(), tempfile.TemporaryFile() as copy:
        yield copy


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


def _tar(stream: IO[bytes], budget: Budget) -> Iterator[Found]:
    names: set[str] = set()
    with _opened_tar(stream) as archive:
        for entry in _entries(archive):
            if not entry.isdir():
                yield _tar_entry(archive, entry, names, budget)
        _read_to_the_end(archive, budget)


def _tar_entry(
    archive: tarfile.TarFile, entry: tarfile.TarInfo, names: set[str], budget: Budget
) -> Found:
    name = entry.name
    early = _refused(name, names, is_link=not entry.isfile()) or unwanted(name)
    found = early or _picture(name, entry.size, _opener(archive, entry), budget)
    if found.data is None:
        # A tar is read from front to back: what is skipped is unpacked too.
        budget.spend(entry.size)
    return found


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


def _refused(name: str, names: set[str], *, is_link: bool) -> Found | None:
    if is_link:
        return Found(name, None, Status.UNSAFE_NAME, "a link or a device, not a file")
    if is_unsafe(name):
        return Found(name, None, Status.UNSAFE_NAME, "the name leads out of its folder")
    if name in names:
        return Found(name, None, Status.DUPLICATE_NAME, "a file of this name came before")
    names.add(name)
    return None


def _picture(name: str, declared: int, opened: Callable[[], IO[bytes]], budget: Budget) -> Found:
    if declared > budget.per_file:
        return _too_large(name, budget)
    try:
        with contextlib.closing(opened()) as stream:
            data = budget.read(stream)
    except UNREADABLE as error:
        return Found(name, None, Status.DAMAGED, str(error) or type(error).__name__)
    return _too_large(name, budget) if data is None else Found(name, data)


def _too_large(name: str, budget: Budget) -> Found:
    reason = f"more than source.max_file_bytes ({budget.per_file:,})"
    return Found(name, None, Status.TOO_MANY_BYTES, reason)


def read_file(path: Path, name: str, limit: int, *, max_total_bytes: int) -> bytes | None:
    """The file `name` of a zip or tar, or of a zip inside the zip; at most `limit` bytes of it.

    None if there is none that can be read; the first one of that name counts.
    """
    if not path.is_file():
        return None
    budget = Budget(path, max_total_bytes, limit)
    with path.open("rb") as stream:
        return _read_file(stream, PurePosixPath(name), budget, depth=1)


def _read_file(stream: IO[bytes], name: PurePosixPath, budget: Budget, depth: int) -> bytes | None:
    # Who reads the pictures says what is wrong with an archive.
    with contextlib.suppress(*UNREADABLE):
        if _is_tar(stream):
            return _read_from_tar(stream, name, budget)
        return _read_from_zip(stream, name, budget, depth)
    return None


def _read_from_tar(stream: IO[bytes], name: PurePosixPath, budget: Budget) -> bytes | None:
    with _opened_tar(stream) as archive:
        for entry in _entries(archive):
            if entry.isfile() and PurePosixPath(entry.name) == name:
                return _beginning(_opener(archive, entry), budget)
            budget.spend(entry.size)
    return None


def _read_from_zip(
    stream: IO[bytes], name: PurePosixPath, budget: Budget, depth: int
) -> bytes | None:
    with zipfile.ZipFile(stream) as archive:
        for entry in archive.infolist():
            if PurePosixPath(entry.filename.replace("\\", "/")) == name:
                return _beginning(partial(archive.open, entry), budget)
        for entry in _inner_zips(archive) if depth < DEEPEST else []:
            with _unpacked(archive, entry, budget) as copy:
                found = _read_file(copy, name, budget, depth + 1)
            if found is not None:
                return found
    return None


def _inner_zips(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The smallest first: a table of labels is small, and the pictures stay packed."""
    zips = [
        entry
        for entry in archive.infolist()
        if entry.filename.lower().endswith(".zip") and not entry.flag_bits & 0x1
    ]
    return sorted(zips, key=lambda entry: entry.file_size)


def _beginning(opened: Callable[[], IO[bytes]], budget: Budget) -> bytes:
    with contextlib.closing(opened()) as stream:
        data = stream.read(budget.per_file)
    budget.spend(len(data))
    return data
