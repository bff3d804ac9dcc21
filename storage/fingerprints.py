"""What is in a file, without reading it again: a memo from a file's state to its SHA-256.

The digest is always that of the content; size, times and inode only tell whether a digest that
was computed before still holds. A file touched within the last seconds is not remembered, since it
could change again within one tick of the clock (the "racy git" problem).
"""

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from storage import digests
from storage.errors import SourceChanged

SETTLED_SECONDS = 2.0


def state_of(path: Path) -> str:
    """Size, times and inode of a file as one text."""
    status = os.stat(path)
    return f"{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}-{status.st_ino}"


@contextlib.contextmanager
def unchanged(path: Path) -> Iterator[None]:
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


class Fingerprints:
    """The memo, one SQLite file; safe for many processes."""

    def __init__(self, database: Path) -> None:
        self._database = database

    def of_files(self, paths: list[Path]) -> list[str]:
        """SHA-256 of each file, in order; only files that are new or touched are read."""
        with self._connection() as connection:
            known: dict[str, tuple[str, str]] = {
                path: (state, digest)
                for path, state, digest in connection.execute("SELECT * FROM files")
            }
            found = [self._of_file(path, known.get(str(path))) for path in paths]
            rows = [
                (str(path), state, digest)
                for path, (state, digest, keep) in zip(paths, found, strict=True)
                if keep and known.get(str(path)) != (state, digest)
            ]
            connection.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", rows)
        return [digest for _, digest, _ in found]

    def of_file(self, path: Path) -> str:
        """SHA-256 of one file."""
        return self.of_files([path])[0]

    def _of_file(self, path: Path, known: tuple[str, str] | None) -> tuple[str, str, bool]:
        state = state_of(path)
        if known and known[0] == state:
            return state, known[1], True
        with unchanged(path):
            digest = digests.of_file(path)
        settled = time.time() - os.stat(path).st_mtime > SETTLED_SECONDS
        return state, digest, settled

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        self._database.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._database, timeout=60)
        try:
            with connection:
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS files "
                    "(path TEXT PRIMARY KEY, state TEXT, digest TEXT)"
                )
                yield connection
        finally:
            connection.close()
