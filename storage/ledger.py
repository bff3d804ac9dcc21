"""The ledger of downloads: one row per address, for every experiment of the workspace.

It is one SQLite file in WAL mode: a committed row outlives `kill -9` at any moment, a torn write
is rolled back by SQLite itself, several processes may add rows, and asking for a thousand
addresses does not read the other millions. An append-only text file gives the first two only.
"""

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path

from storage import atomic
from storage.names import one_line
from storage.statuses import DownloadStatus

# SQLite allows 999 parameters in old versions.
ADDRESSES_PER_QUESTION = 900
BUSY_SECONDS = 60


@dataclass(frozen=True)
class Download:
    """What became of one address.

    `reason` may quote a server: what would move a terminal's cursor is shown as "?". `code` is the
    last HTTP status, 0 if there was no answer; `image` the stored name, '' if nothing was stored;
    `bytes` of what is TOO_LARGE are the fewest that it has, those of other failures may be 0;
    `seconds` the time spent on the network, over all attempts; `etag` and
    `last_modified` are the server's words, for asking again only if something changed; `when` is
    UTC in ISO 8601.
    """

    url: str
    status: DownloadStatus
    reason: str = ""
    code: int = 0
    image: str = ""
    bytes: int = 0
    seconds: float = 0.0
    attempts: int = 0
    etag: str = ""
    last_modified: str = ""
    host: str = ""
    when: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", one_line(self.reason))


COLUMNS = tuple(field.name for field in fields(Download))
# `dataclasses.astuple` copies every value, which takes fifty times as long.
_values = attrgetter(*COLUMNS)
TABLE = """
    CREATE TABLE IF NOT EXISTS downloads (
        url TEXT PRIMARY KEY, status TEXT NOT NULL, reason TEXT NOT NULL, code INTEGER NOT NULL,
        image TEXT NOT NULL, bytes INTEGER NOT NULL, seconds REAL NOT NULL,
        attempts INTEGER NOT NULL, etag TEXT NOT NULL, last_modified TEXT NOT NULL,
        host TEXT NOT NULL, "when" TEXT NOT NULL
    ) WITHOUT ROWID
"""


class Ledger:
    """Rows by address in one file; use from one thread, close when done."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        with atomic.explained(path):
            self._connection = sqlite3.connect(path, timeout=BUSY_SECONDS)
            self._connection.execute("PRAGMA journal_mode = WAL")
            # A killed process loses nothing with NORMAL; only a power cut may undo the last rows.
            self._connection.execute("PRAGMA synchronous = NORMAL")
            with self._connection:
                self._connection.execute(TABLE)

    @classmethod
    @contextlib.contextmanager
    def opened(cls, path: Path) -> "Iterator[Ledger]":
        """The ledger at `path`, made if it is not there, closed after the block."""
        ledger = cls(path)
        try:
            yield ledger
        finally:
            ledger.close()

    def close(self) -> None:
        """Let go of the file; every row that `add` returned for is in it."""
        self._connection.close()

    def add(self, rows: Iterable[Download]) -> None:
        """Commit these rows together; a row for an address that has one takes its place."""
        marks = ", ".join("?" * len(COLUMNS))
        with self._connection:
            self._connection.executemany(
                f"INSERT OR REPLACE INTO downloads VALUES ({marks})",  # noqa: S608 - marks only
                list(map(_values, rows)),
            )

    def rows(self, urls: Sequence[str]) -> dict[str, Download]:
        """The rows of these addresses; those that were never finished are missing."""
        found: dict[str, Download] = {}
        for start in range(0, len(urls), ADDRESSES_PER_QUESTION):
            some = urls[start : start + ADDRESSES_PER_QUESTION]
            marks = ", ".join("?" * len(some))
            question = f"SELECT * FROM downloads WHERE url IN ({marks})"  # noqa: S608 - marks only
            found.update(
                (row[0], _download(row)) for row in self._connection.execute(question, some)
            )
        return found

    def missing(self, urls: Sequence[str], *, retry_failed: bool = False) -> list[str]:
        """The addresses without a row, in order and each once.

        With `retry_failed` those come too whose failure may have passed: a dead link stays dead,
        a timeout need not.
        """
        known = self.rows(urls)

        def wanted(url: str) -> bool:
            row = known.get(url)
            return row is None or (retry_failed and row.status.may_succeed_later)

        return [url for url in dict.fromkeys(urls) if wanted(url)]


def _download(row: Sequence[object]) -> Download:
    values = dict(zip(COLUMNS, row, strict=True))
    values["status"] = DownloadStatus(str(values["status"]))
    return Download(**values)  # type: ignore[arg-type]  # SQLite gives back what was put in
