"""Locks between machines: PostgreSQL's session-level advisory locks.

The database lets go of one as soon as its holder's connection ends, as it does with `kill -9`. A
holder that is cut off from the database loses its lock and does not know: what two of them make
then has one name, and the first that stores it is right (storage/remote). Not through a pooler that
gives sessions away between transactions.
"""

import time
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout

from storage import digests
from storage.database.connecting import Database

LOOK_SECONDS = 0.2
TRY, FREE = "SELECT pg_try_advisory_lock(%s)", "SELECT pg_advisory_unlock(%s)"


class SharedLock:
    """A lock between all processes of all machines: of this one's first, by its file."""

    def __init__(self, database: Database, name: str, file: FileLock) -> None:
        self._database = database
        self._number = number_of(name)
        self._file = file
        self._session = 0

    def acquire(self, timeout: float = -1) -> None:
        """Wait for the lock, at most `timeout` seconds; filelock.Timeout if it is not free then."""
        begun = time.monotonic()
        self._file.acquire(timeout=timeout)
        taken = False
        try:
            while not (taken := self._taken()) and not 0 <= timeout <= time.monotonic() - begun:
                time.sleep(LOOK_SECONDS)
        finally:
            if not taken:
                self._file.release()
        if not taken:
            raise Timeout(self._file.lock_file)

    def _taken(self) -> bool:
        taken = self._database.do(lambda one: one.execute(TRY, [self._number]).fetchone()[0])
        self._session = self._database.session
        return bool(taken)

    def release(self) -> None:
        """Let go of it; one that went with its connection is gone already."""
        if self._session == self._database.session:
            self._database.do(lambda one: one.execute(FREE, [self._number]))
        self._file.release()

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.release()


def number_of(name: str) -> int:
    """The number of 64 bits, with its sign, that stands for a lock's name in the database."""
    return int.from_bytes(bytes.fromhex(digests.of_bytes(name.encode())[:16]), signed=True)
