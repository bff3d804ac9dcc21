"""The files of a .7z, with py7zr (the extra `sevenzip`)."""

import importlib.util
import io
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any

from storage.errors import MissingLibrary, SourceDamaged, SourceTooLarge
from storage.statuses import Status
from tasks.acquire.archives.budget import Budget, picture, plain_name, refused, with_table
from tasks.acquire.files import Found, unwanted

SIGNATURE = b"7z\xbc\xaf\x27\x1c"
# All of it is unpacked into memory at once: its files are packed as one.
MOST_UNPACKED = 4 << 30


def files_of(stream: IO[bytes], path: Path, budget: Budget) -> Iterator[Found]:
    """Every file; MissingLibrary where py7zr is not installed."""
    if importlib.util.find_spec("py7zr") is None:
        raise MissingLibrary(
            f"{path.name} is a .7z: install `py7zr` (pip install 'darkroom[sevenzip]'), or unpack "
            "it and name the folder in source.folder"
        )
    import py7zr
    from py7zr.exceptions import ArchiveError

    try:
        with py7zr.SevenZipFile(stream) as archive:
            if archive.needs_password():
                raise SourceDamaged(f"{path.name} needs a password: unpack it first")
            entries = archive.list()
            total = sum(entry.uncompressed for entry in entries)
            budget.spend(total)
            if total > MOST_UNPACKED:
                raise SourceTooLarge(
                    f"{path.name} unpacks to {total:,} bytes, expected at most {MOST_UNPACKED:,} "
                    "of a .7z: unpack it and name the folder in source.folder"
                )
            factory = py7zr.io.BytesIOFactory(MOST_UNPACKED)
            archive.extract(factory=factory)
    except (ArchiveError, OSError, ValueError, EOFError, RuntimeError, TypeError) as error:
        raise SourceDamaged(f"{path.name} is no whole .7z ({error}): fetch it again") from error
    yield from _files(entries, factory.products, Budget(path, budget.total, budget.per_file,
                                                        budget.pictures))  # fmt: skip


def _files(entries: list[Any], products: dict[str, Any], budget: Budget) -> Iterator[Found]:
    names: set[str] = set()
    for entry in entries:
        if entry.is_directory:
            continue
        name = plain_name(entry.filename)
        is_link = stat.S_ISLNK(getattr(entry, "posix_mode", 0) or 0)
        early = refused(name, names, is_link=is_link) or unwanted(name)
        product = products.get(entry.filename)
        if product is None:
            yield early or Found(name, None, Status.DAMAGED, "could not be unpacked")
            continue
        data = product.read()
        if early is not None:
            yield with_table(early, len(data), partial(io.BytesIO, data), budget)
        else:
            yield picture(name, len(data), partial(io.BytesIO, data), budget)
