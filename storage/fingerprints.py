"""What is in a file, without reading it again: a memo from a file's state to its SHA-256.

The digest is always that of the content; size, times and inode only tell whether a digest that
was computed before still holds. A file touched within the last seconds is not remembered, since it
could change again within one tick of the clock (the "racy git" problem).
"""

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from storage import atomic, digests
from storage.errors import SourceChanged, SourceDamaged, StorageDamaged

SETTLED_SECONDS = 2.0
DAMAGED = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


AnyPath = str | Path


def state_of(path: AnyPath) -> str:
    """Size, times and inode of a file as one text."""
    return state_in(os.stat(path))


def state_in(status: os.stat_result) -> str:
    """The same of a file that was looked at already."""
    return f"{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}-{status.st_ino}"


@contextlib.contextmanager
def unchanged(path: AnyPath) -> Iterator[None]:
    """SourceChanged when `path` is written to, replaced or removed during the block."""
    before = state_of(path)
    yield
    try:
        after = state_of(path)
    except FileNotFoundError:
        after = "gone"
    if before != after:
        raise SourceChanged(
            f"{path} changed while it was being read: expected a finished file. "
            "Wait until it is written completely, then run again"
        )


@contextlib.contextmanager
def readable(path: AnyPath) -> Iterator[None]:
    """SourceDamaged when the system refuses to read `path` during the block."""
    try:
        yield
    except OSError as error:
        raise SourceDamaged(
            f"cannot read {path} ({error.strerror}): expected a source that may be read as a "
            "whole. Check its permissions, and that it is still there, then run again"
        ) from error


class Fingerprints:
    """The memo, one SQLite file in a folder that is there; safe for many processes."""

    def __init__(self, database: Path) -> None:
        self._database = database

    def of_files(self, paths: Sequence[AnyPath]) -> list[str]:
        """SHA-256 of each file, in order; only files that are new or touched are read."""
        with self._connection() as connection:
            known = _all(connection)
            # Bytes, since a file's name need not be text.
            names = [os.fsencode(path) for path in paths]
            found = [
                self._of_file(path, known.get(name))
                for path, name in zip(paths, names, strict=True)
            ]
            rows = [
                (name, state, digest)
                for name, (state, digest, keep) in zip(names, found, strict=True)
                if keep and known.get(name) != (state, digest)
            ]
            connection.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", rows)
        return [digest for _, digest, _ in found]

    def remembered(self) -> dict[bytes, tuple[str, str]]:
        """Each known file's state and the SHA-256 that it had in that state, by its path."""
        with self._connection() as connection:
            return _all(connection)

    def forget(self, path: Path) -> None:
        """Read a file, or every file below a folder, once more, whatever their states."""
        name = os.fsencode(path)
        with self._connection() as connection:
            connection.execute(
                "DELETE FROM files WHERE path = ? OR path >= ? AND path < ?",
                (name, name + b"/", name + b"0"),
            )

    def of_file(self, path: AnyPath) -> str:
        """SHA-256 of one file."""
        return self.of_files([path])[0]

    def _of_file(self, path: AnyPath, known: tuple[str, str] | None) -> tuple[str, str, bool]:
        with readable(path):
            state = state_of(path)
            if known and known[0] == state:
                return state, known[1], True
            with unchanged(path):
                digest = digests.of_file(Path(path))
            # A time far in the future, as cameras and zips give, is as good as one long ago.
            settled = abs(time.time() - os.stat(path).st_mtime) > SETTLED_SECONDS
        return state, digest, settled

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with atomic.explained(self._database), self._explained():
            # Who only looks makes no workspace: without one, nothing is remembered.
            there = self._database.parent.is_dir()
            connection = sqlite3.connect(self._database if there else ":memory:", timeout=60)
            try:
                with connection:
                    connection.execute(
                        "CREATE TABLE IF NOT EXISTS files "
                        "(path BLOB PRIMARY KEY, state TEXT, digest TEXT)"
                    )
                    yield connection
            finally:
                connection.close()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", None) not in DAMAGED:
                raise
            raise StorageDamaged(
                f"{self._database} is damaged ({error}): delete it and run again, the files it "
                "remembers are read once more"
            ) from error


def _all(connection: sqlite3.Connection) -> dict[bytes, tuple[str, str]]:
    rows = connection.execute("SELECT path, state, digest FROM files")
    return {path: (state, digest) for path, state, digest in rows}
