"""The files of a zip, those of zips inside it included."""

import contextlib
import copy
import io
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import IO

from storage.errors import SourceDamaged
from storage.statuses import Status
from tasks.acquire.archives import zip_names
from tasks.acquire.archives.budget import (
    Budget,
    picture,
    plain_name,
    refused,
    temporary_file,
    temporary_space,
    with_table,
)
from tasks.acquire.files import Found, unwanted
from tasks.acquire.unreadable import UNREADABLE

DEEPEST = 3
DEFLATE64 = 9
# The second in zips made on Windows.
FOLDER_ENDS = ("/", "\\")

Files = Callable[[IO[bytes], str, Budget, int], Iterator[Found]]


def files_of(stream: IO[bytes], budget: Budget, depth: int, inside: Files) -> Iterator[Found]:
    """Every file; `inside` reads what a zip inside holds."""
    names: set[str] = set()
    with zipfile.ZipFile(stream) as archive:
        zip_names.make_readable(archive)
        for entry in archive.infolist():
            if not entry.filename.endswith(FOLDER_ENDS):
                yield from _entry(archive, entry, names, budget, depth, inside)


def _entry(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, names: set[str], budget: Budget, depth: int,
    inside: Files,
) -> Iterator[Found]:  # fmt: skip
    name = _name(entry)
    is_link = stat.S_ISLNK(entry.external_attr >> 16)
    early = refused(name, names, is_link=is_link) or unwanted(name)
    inner = early is not None and _is_inner_zip(early, depth)
    locked = bool(entry.flag_bits & 0x1)
    opened = partial(_opened, archive, entry)
    if locked and (early is None or inner):
        yield Found(name, None, Status.ENCRYPTED, "needs a password: unpack it first")
    elif inner:
        yield from _inner_zip(archive, entry, budget, depth, inside)
    elif early is not None:
        yield early if locked else with_table(early, entry.file_size, opened, budget)
    else:
        yield picture(name, entry.file_size, opened, budget, _time(entry))


def _name(entry: zipfile.ZipInfo) -> str:
    return plain_name(entry.filename.replace("\\", "/"))  # some zips made on Windows


def _time(entry: zipfile.ZipInfo) -> str:
    year, month, day, hour, minute, second = entry.date_time
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"


def _opened(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> IO[bytes]:
    """The entry's bytes; also where Windows Explorer packed them as Deflate64."""
    if entry.compress_type != DEFLATE64:
        return archive.open(entry)
    import inflate64

    packed = copy.copy(entry)
    packed.compress_type, packed.file_size = zipfile.ZIP_STORED, entry.compress_size
    del packed.CRC  # that of the packed bytes is not known
    inflater, parts, size, checksum = inflate64.Inflater(), [], 0, 0
    with archive.open(packed) as stream:
        while block := stream.read(1 << 16):
            part = inflater.inflate(block)
            size, checksum = size + len(part), zlib.crc32(part, checksum)
            if size > entry.file_size:
                break
            parts.append(part)
    if size != entry.file_size or checksum != entry.CRC:
        raise zipfile.BadZipFile(f"Bad CRC-32 for file {entry.filename!r}")
    return io.BytesIO(b"".join(parts))


def _is_inner_zip(found: Found, depth: int) -> bool:
    named_so = found.status is Status.NOT_A_PICTURE and found.name.lower().endswith(".zip")
    return named_so and depth < DEEPEST


def _inner_zip(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: Budget, depth: int, inside: Files
) -> Iterator[Found]:
    name = _name(entry)
    with _unpacked(archive, entry, budget) as copied:
        for found in inside(copied, entry.filename, budget, depth + 1):
            yield found.inside(name)


@contextlib.contextmanager
def _unpacked(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: Budget
) -> Iterator[IO[bytes]]:
    with temporary_file() as copied:
        try:
            with contextlib.closing(_opened(archive, entry)) as stream, temporary_space():
                budget.copy(stream, copied)
        except UNREADABLE as error:
            raise SourceDamaged(
                f"{entry.filename} in {budget.archive} is damaged ({error}): fetch it again"
            ) from error
        copied.seek(0)
        yield copied
