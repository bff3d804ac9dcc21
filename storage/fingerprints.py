"""What is in a file, without reading it again: a memo from a file's state to its SHA-256.

The digest is always that of the content; size, times and inode only tell whether a digest that
was computed before still holds. A file touched within the last seconds is not remembered, since it
could change again within one tick of the clock (the "racy git" problem).

Of what is stored a process reads each file once to see whether it holds what its digest says.
"""

import contextlib
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from storage import atomic, digests
from storage.errors import SourceChanged, SourceDamaged

SETTLED_SECONDS = 2.0
# Errors that a whole database has as well: full or broken disks, locks, permissions.
OF_THE_MACHINE = frozenset(
    {
        sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL, sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_READONLY,
    }
)  # fmt: skip
Result = TypeVar("Result")
AnyPath = str | Path
# (path, state, digest) of files that were read in this process and hold what they should.
_held: set[tuple[str, str, str]] = set()


def state_of(path: AnyPath) -> str:
    """Size, times and inode of a file as one text."""
    return state_in(os.stat(path))


def state_in(status: os.stat_result) -> str:
    """The same of a file that was looked at already."""
    return f"{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}-{status.st_ino}"


def holds(path: AnyPath, digest: str) -> bool:
    """Whether a stored file has the SHA-256 that begins with `digest`; a missing one has not.

    It is read once in a process, as long as its state stays.
    """
    try:
        known = (str(path), state_of(path), digest)
        if known not in _held:
            if not digests.of_file(Path(path)).startswith(digest):
                return False
            _held.add(known)
    except OSError:
        return False
    return True


def made(path: AnyPath, digest: str) -> None:
    """Remember of a file that was just written that it `holds` this: it is not read for that."""
    _held.add((str(path), state_of(path), digest))


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
        return self._done(lambda connection: self._of_files(connection, paths))

    def remembered(self) -> dict[bytes, tuple[str, str]]:
        """Each known file's state and the SHA-256 that it had in that state, by its path."""
        return self._done(_all)

    def forget(self, path: Path) -> None:
        """Read a file, or every file below a folder, once more, whatever their states."""
        name = os.fsencode(path)
        where = (name, name + b"/", name + b"0")
        self._done(
            lambda connection: connection.execute(
                "DELETE FROM files WHERE path = ? OR path >= ? AND path < ?", where
            )
        )

    def of_file(self, path: AnyPath) -> str:
        """SHA-256 of one file."""
        return self.of_files([path])[0]

    def _of_files(self, connection: sqlite3.Connection, paths: Sequence[AnyPath]) -> list[str]:
        known = _all(connection)
        # Bytes, since a file's name need not be text.
        names = [os.fsencode(path) for path in paths]
        found = [
            self._of_file(path, known.get(name)) for path, name in zip(paths, names, strict=True)
        ]
        rows = [
            (name, state, digest)
            for name, (state, digest, keep) in zip(names, found, strict=True)
            if keep and known.get(name) != (state, digest)
        ]
        connection.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", rows)
        return [digest for _, digest, _ in found]

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

    def _done(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """What `work` gives. A damaged memo is made anew, with a word: it is only a memo."""
        try:
            with self._connection() as connection:
                return work(connection)
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            sys.stderr.write(
                f"{self._database} was damaged ({error}) and is made anew: the files that it "
                "remembered are read once more\n"
            )
        for suffix in ("", "-journal"):
            Path(f"{self._database}{suffix}").unlink(missing_ok=True)
        with self._connection() as connection:
            return work(connection)

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with atomic.explained(self._database):
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


def is_whole(database: Path) -> bool:
    """Whether SQLite finds the memo whole, and every row is one (reads all of it)."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        sound = connection.execute("PRAGMA quick_check").fetchall() == [("ok",)]
        rows = connection.execute("SELECT path, state, digest FROM files").fetchall()
        return sound and all(_is_digest(digest) for _, _, digest in rows)
    finally:
        connection.close()


def is_damage(error: sqlite3.Error) -> bool:
    """Whether a database's file is to blame for what comes of fixed statements.

    For all of it, but for OF_THE_MACHINE.
    """
    # Text that is none comes without a code.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    return code & 0xFF not in OF_THE_MACHINE


def _is_digest(text: object) -> bool:
    return isinstance(text, str) and len(text) == 64 and text.isalnum()


def _all(connection: sqlite3.Connection) -> dict[bytes, tuple[str, str]]:
    rows = connection.execute("SELECT path, state, digest FROM files")
    return {path: (state, digest) for path, state, digest in rows if _is_digest(digest)}
