"""Locks between the processes of one workspace: a file each, let go by the system when one ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from storage import atomic
from storage.workspace import Workspace


def of(workspace: Workspace, name: str, *, thread_local: bool = True) -> FileLock:
    """The lock of this name, not yet acquired; not `thread_local`, any thread may let it go."""
    return FileLock(_path(workspace, name), thread_local=thread_local)


@contextmanager
def held(workspace: Workspace, name: str) -> Iterator[Path]:
    """Hold the lock of this name during the block, which is given its file."""
    path = _path(workspace, name)
    lock = FileLock(path)
    with atomic.explained(path):
        lock.acquire()
    try:
        yield path
    finally:
        lock.release()


def _path(workspace: Workspace, name: str) -> Path:
    with atomic.explained(workspace.locks):
        workspace.locks.mkdir(parents=True, exist_ok=True)
    return workspace.locks / f"{name}.lock"
