"""Writes that are either whole or not there: a temporary sibling, then one rename."""

import contextlib
import errno
import json
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from storage.errors import StorageFull

TEMPORARY_PREFIX = ".partial-"
LONGEST_PATH = 4096
# Tells whose half-written files are, once a process was killed in the middle of one.
WRITER = secrets.token_hex(8)


@contextlib.contextmanager
def explained(target: Path) -> Iterator[None]:
    """Turn "no space left" and "quota exceeded" into `StorageFull`, naming the place."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        if is_full(error):
            raise full(target) from error
        raise


def is_full(error: Exception) -> bool:
    """Whether the system, or SQLite, had no space left."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL


def full(target: Path | str) -> StorageFull:
    """What to raise where there was no space left to write `target`."""
    return StorageFull(
        f"no space left while writing {target}: expected room for the result, found none. "
        "Free some (`darkroom cache gc` says what nothing needs any more) and run again; "
        "what is already stored is kept"
    )


def sibling(target: Path) -> Path:
    """A name beside `target` that nobody else uses; the file gets the rights the umask gives."""
    return target.with_name(f"{half(WRITER)}{secrets.token_hex(8)}{target.suffix}")


def half(writer: str) -> str:
    """How the names of all begin that this writer has not finished."""
    return f"{TEMPORARY_PREFIX}{writer}-"


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


def as_json(value: Any) -> bytes:
    """`value` as indented UTF-8 JSON with a final newline."""
    return f"{json.dumps(value, indent=2, ensure_ascii=False, sort_keys=False)}\n".encode()


def write_json(target: Path, value: Any) -> Path:
    """`target`, holding `value` as JSON."""
    return write_bytes(target, as_json(value))


def point(link: Path, target: Path) -> None:
    """Make the symbolic link `link` lead to `target`, its sibling; never absent in between.

    Where there are no such links (FAT, some network drives), a file that holds the relative path.
    """
    temporary, path = sibling(link), os.path.relpath(target, link.parent)
    with explained(link):
        link.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.symlink_to(path, target_is_directory=True)
        except OSError:
            write_bytes(link, path.encode())
        else:
            os.replace(temporary, link)


def led_to(link: Path) -> Path:
    """Where what `point` made leads, whole or not; `link` itself where it made nothing."""
    if link.is_symlink():
        return link.resolve()
    text = link.read_text("utf-8", "replace")[:LONGEST_PATH] if link.is_file() else ""
    return (link.parent / text).resolve() if text.strip() and "\0" not in text else link
