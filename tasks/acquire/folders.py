"""Files of a folder of class folders."""

import os
from collections.abc import Iterator
from pathlib import Path

from storage.errors import SourceMissing
from storage.statuses import Status
from tasks.acquire.found import Found, unwanted


def paths_of(folder: Path) -> list[Path]:
    """Every file below `folder`, sorted; links are not followed out of it."""
    if not folder.is_dir():
        raise SourceMissing(
            f"expected a folder of class folders at {folder}, found none: say where it is with "
            "--set source.folder=PATH"
        )
    found = []
    for root, folders, files in os.walk(folder, followlinks=False):
        folders.sort()
        found += [Path(root, name) for name in sorted(files)]
    return found


def files_of(folder: Path, *, max_file_bytes: int) -> Iterator[Found]:
    """Every file, named relative to `folder`."""
    for path in paths_of(folder):
        name = path.relative_to(folder).as_posix()
        yield unwanted(name) or _picture(path, name, max_file_bytes)


def _picture(path: Path, name: str, max_file_bytes: int) -> Found:
    if path.is_symlink():
        return Found(name, None, Status.UNSAFE_NAME, "a link, not a file")
    if path.stat().st_size > max_file_bytes:
        reason = f"more than source.max_file_bytes ({max_file_bytes:,})"
        return Found(name, None, Status.TOO_MANY_BYTES, reason)
    return Found(name, path.read_bytes())
