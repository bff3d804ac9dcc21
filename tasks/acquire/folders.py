"""Files of a folder of class folders."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from storage.errors import SourceMissing
from storage.fingerprints import readable
from storage.statuses import Status
from tasks.acquire.files import Found, unwanted


def paths_of(folder: Path) -> list[Path]:
    """Every file below `folder`, sorted; links count as files and are not followed out of it."""
    if not folder.is_dir():
        raise SourceMissing(
            f"expected a folder of class folders at {folder}, found none: say where it is with "
            "--set source.folder=PATH"
        )
    found = []
    for root, folders, files in os.walk(folder, onerror=_refuse, followlinks=False):
        folders.sort()
        links = [name for name in folders if Path(root, name).is_symlink()]
        found += [Path(root, name) for name in sorted([*files, *links])]
    return found


def _refuse(error: OSError) -> None:
    with readable(Path(error.filename)):
        raise error


def is_plain(path: Path) -> bool:
    """Whether it is a file: no link, no folder, no pipe that would have to be waited for."""
    return stat.S_ISREG(os.lstat(path).st_mode)


def files_of(folder: Path, *, max_file_bytes: int) -> Iterator[Found]:
    """Every file, named relative to `folder`."""
    for path in paths_of(folder):
        name = path.relative_to(folder).as_posix()
        with readable(path):
            found = _not_plain(path, name) or unwanted(name) or _picture(path, name, max_file_bytes)
        yield found


def _not_plain(path: Path, name: str) -> Found | None:
    if is_plain(path):
        return None
    return Found(name, None, Status.UNSAFE_NAME, "a link or a device, not a file")


def _picture(path: Path, name: str, max_file_bytes: int) -> Found:
    if path.stat().st_size > max_file_bytes:
        reason = f"more than source.max_file_bytes ({max_file_bytes:,})"
        return Found(name, None, Status.TOO_MANY_BYTES, reason)
    return Found(name, path.read_bytes())
