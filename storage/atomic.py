"""Writes that are either whole or not there: a temporary sibling, then one rename."""

import contextlib
import errno
import json
import os
import secrets
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from storage.errors import StorageFull

TEMPORARY_PREFIX = ".partial-"


@contextlib.contextmanager
def explained(target: Path) -> Iterator[None]:
    """Turn "no space left" and "quota exceeded" into `StorageFull`, naming the place."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        if not _is_full(error):
            raise
        raise StorageFull(
            f"no space left while writing {target}: expected room for the result, found none. "
            "Free some (`darkroom cache gc` says what nothing needs any more) and run again; "
            "what is already stored is kept"
        ) from error


def _is_full(error: OSError | sqlite3.Error) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL


def sibling(target: Path) -> Path:
    """A name beside `target` that nobody else uses; the file gets the rights the umask gives."""
    return target.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}{target.suffix}")


def write_file(target: Path, write: Callable[[Path], object]) -> Path:
    """`target`, after `write(temporary)` has filled a sibling of it; an old target is replaced."""
    temporary = sibling(target)
    with explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            write(temporary)
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)
    return target


def write_bytes(target: Path, data: bytes) -> Path:
    """`target`, holding exactly `data`."""
    return write_file(target, lambda temporary: temporary.write_bytes(data))


def write_json(target: Path, value: Any) -> Path:
    """`target`, holding `value` as indented UTF-8 JSON with a final newline."""
    text = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=False) + "\n"
    return write_bytes(target, text.encode())


@contextlib.contextmanager
def new_folder(target: Path, *, keep_whole: bool = False) -> Iterator[Path]:
    """A temporary sibling folder to fill; it becomes `target` if the block ends without an error.

    Where `target` already exists it is replaced, unless another process replaced it meanwhile:
    both hold the same content then, since folders are named by what they hold. With `keep_whole`
    a `target` that is sealed and whole stays, and the new folder goes: a kill between the two
    renames of a replacement would lose both.
    """
    with explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX, dir=target.parent))
        try:
            yield temporary
            if not (keep_whole and _is_intact(target)):
                temporary.chmod(0o755)
                _swap(temporary, target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _is_intact(folder: Path) -> bool:
    from storage import folders  # which writes its lists with this module

    return folders.is_intact(folder)


def _swap(temporary: Path, target: Path) -> None:
    retired = temporary.with_name(temporary.name + "-old")
    with contextlib.suppress(FileNotFoundError):
        os.rename(target, retired)
    try:
        os.rename(temporary, target)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
    shutil.rmtree(retired, ignore_errors=True)


def point(link: Path, target: Path) -> None:
    """Make the symbolic link `link` lead to `target`, its sibling; never absent in between."""
    temporary = sibling(link)
    with explained(link):
        link.parent.mkdir(parents=True, exist_ok=True)
        temporary.symlink_to(os.path.relpath(target, link.parent), target_is_directory=True)
        os.replace(temporary, link)
