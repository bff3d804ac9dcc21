"""Writes that are either whole or not there: a temporary sibling, then one rename."""

import contextlib
import errno
import json
import os
import shutil
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
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise StorageFull(
            f"no space left while writing {target}: expected room for the result, found none. "
            "Free some (`darkroom cache gc` says what nothing needs any more) and run again; "
            "what is already stored is kept"
        ) from error


def write_file(target: Path, write: Callable[[Path], object]) -> Path:
    """`target`, after `write(temporary)` has filled a sibling of it; an old target is replaced."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with explained(target):
        handle, name = tempfile.mkstemp(
            prefix=TEMPORARY_PREFIX, suffix=target.suffix, dir=target.parent
        )
        os.close(handle)
        temporary = Path(name)
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
def new_folder(target: Path) -> Iterator[Path]:
    """A temporary sibling folder to fill; it becomes `target` if the block ends without an error.

    Where `target` already exists it is replaced, unless another process replaced it meanwhile:
    both hold the same content then, since folders are named by what they hold.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with explained(target):
        temporary = Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX, dir=target.parent))
        try:
            yield temporary
            temporary.chmod(0o755)
            _swap(temporary, target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


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
    link.parent.mkdir(parents=True, exist_ok=True)
    temporary = link.with_name(f"{TEMPORARY_PREFIX}{os.getpid()}-{link.name}")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(os.path.relpath(target, link.parent), target_is_directory=True)
    os.replace(temporary, link)
