"""Locks between the processes of one workspace: a file each, let go by the system when one ends."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from filelock import FileLock

from storage import atomic
from storage.workspace import DATABASE_VARIABLE, Workspace


class Lock(Protocol):
    """A lock between processes, of one machine or of several."""

    def acquire(self, timeout: float = -1) -> object:
        """Wait for it, at most `timeout` seconds; filelock.Timeout if it is not free then."""

    def release(self) -> None:
        """Let go of it."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None: ...


def of(workspace: Workspace, name: str, *, thread_local: bool = True) -> Lock:
    """The lock of this name, not yet acquired; not `thread_local`, any thread may let it go.

    With DARKROOM_DATABASE it is one between all machines that have the same.
    """
    file = FileLock(_path(workspace, name), thread_local=thread_local)
    address = os.environ.get(DATABASE_VARIABLE)
    if not address:
        return file
    from storage.database.advisory_locks import SharedLock
    from storage.database.connecting import database

    return SharedLock(database(address), name, file)


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
