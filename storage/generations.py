"""Copies of files that no run can make again, so that one damaged file loses nothing.

Of such a file its last KEPT contents lie in `generations/<path of the file>/<when>-<SHA-256>`, the
newest written before the file itself. So the file's own content is known, to the byte: it is one of
those, or it is damaged, and the newest takes its place.
"""

import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from storage import atomic, digests, locks
from storage.errors import StorageDamaged
from storage.workspace import Workspace

# One for all: copies are few.
LOCK = "generations"
KEPT = 3
COPY = re.compile(r"\d{20}-[0-9a-f]{64}")


def write(workspace: Workspace, path: Path, data: bytes) -> None:
    """Make `path` hold `data`, with a copy that was written before."""
    with locks.held(workspace, LOCK):
        _copy(workspace, path, data)
        atomic.write_bytes(path, data)


def keep(workspace: Workspace, path: Path) -> None:
    """Have a copy of a file as it is now."""
    data = path.read_bytes()
    if digests.of_bytes(data) not in map(_digest, copies(workspace, path)):
        _copy(workspace, path, data)


def read(workspace: Workspace, path: Path) -> bytes | None:
    """What the file holds; None where there was never one.

    A damaged or missing file takes the content of its newest copy, with a word: nothing is lost.
    StorageDamaged where that is damaged as well. A file without copies is taken as it is.
    """
    data, whole = _content(workspace, path)
    if whole:
        return data
    with locks.held(workspace, LOCK):
        data, whole = _content(workspace, path)
        if whole:  # another process was faster
            return data
        newest = copies(workspace, path)[-1]
        if not is_copy_whole(newest):
            raise StorageDamaged(
                f"{path} is damaged, and so is its newest copy: `darkroom cache verify --repair` "
                "takes an older one and says of when it is"
            )
        sys.stderr.write(f"{path} was damaged or gone: its copy takes its place\n")
        return _restored(path, newest)


def is_whole(workspace: Workspace, path: Path) -> bool:
    """Whether the file holds one of the contents that copies were made of; unknown is whole."""
    return _content(workspace, path)[1]


def restore(workspace: Workspace, path: Path) -> str:
    """Give a damaged file the content of its newest whole copy, and say what was lost with that.

    StorageDamaged, and all left as it is, where no copy is whole.
    """
    whole = [one for one in copies(workspace, path) if is_copy_whole(one)]
    if not whole:
        raise StorageDamaged(f"{path} is damaged, and no copy of it is whole")
    _restored(path, whole[-1])
    if whole[-1] == copies(workspace, path)[-1]:
        return "as it was last, nothing is lost"
    when = datetime.fromtimestamp(int(whole[-1].name.partition("-")[0]) / 1e9, UTC)
    return f"as it was written at {when:%Y-%m-%d %H:%M:%S} UTC; what came after that is lost"


def is_copy_whole(copy: Path) -> bool:
    """Whether a copy holds what its name says."""
    try:
        return digests.of_file(copy) == _digest(copy)
    except OSError:
        return False


def copies(workspace: Workspace, path: Path) -> list[Path]:
    """The copies of a file, oldest first."""
    return sorted(one for one in folder(workspace, path).glob("*") if COPY.fullmatch(one.name))


def folder(workspace: Workspace, path: Path) -> Path:
    """Where the copies of a file are."""
    return workspace.generations / workspace.relative(path)


def damaged(workspace: Workspace) -> list[Path]:
    """Copies whose content is not what their name says."""
    found = (path for path in workspace.generations.rglob("*") if COPY.fullmatch(path.name))
    return sorted(path for path in found if not is_copy_whole(path))


def _content(workspace: Workspace, path: Path) -> tuple[bytes | None, bool]:
    """What the file holds, None without one, and whether that is whole."""
    try:
        data = path.read_bytes()
    except OSError:
        data = None
    # After it was read: a copy is there before the file is.
    known = set(map(_digest, copies(workspace, path)))
    return data, not known or (data is not None and digests.of_bytes(data) in known)


def _copy(workspace: Workspace, path: Path, data: bytes) -> None:
    name = f"{time.time_ns():020d}-{digests.of_bytes(data)}"
    atomic.write_bytes(folder(workspace, path) / name, data)
    for old in copies(workspace, path)[:-KEPT]:
        old.unlink(missing_ok=True)


def _restored(path: Path, copy: Path) -> bytes:
    data = copy.read_bytes()
    if path.is_dir():
        # Whatever is in the way is no file of ours, and is kept beside.
        path.rename(path.with_name(f"{path.name}.in-the-way"))
    atomic.write_bytes(path, data)
    return data


def _digest(copy: Path) -> str:
    return copy.name.rpartition("-")[2]
