"""The ledger of downloads: one row per address, for every experiment of the workspace.

It is one SQLite file in WAL mode: a committed row outlives `kill -9` at any moment, a torn write
is rolled back by SQLite itself, several processes may add rows, and asking for a thousand
addresses does not read the other millions. An append-only text file gives the first two only.
"""

import contextlib
import sqlite3
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path

from storage import atomic
from storage.errors import MEND, StorageDamaged
from storage.fingerprints import is_damage
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
values = attrgetter(*COLUMNS)
TABLE = """
    CREATE TABLE IF NOT EXISTS downloads (
        url TEXT PRIMARY KEY, status TEXT NOT NULL, reason TEXT NOT NULL, code INTEGER NOT NULL,
        image TEXT NOT NULL, bytes INTEGER NOT NULL, seconds REAL NOT NULL,
        attempts INTEGER NOT NULL, etag TEXT NOT NULL, last_modified TEXT NOT NULL,
        host TEXT NOT NULL, "when" TEXT NOT NULL
    ) WITHOUT ROWID
"""

FROM_BOTH_ENDS = (
    "SELECT * FROM downloads ORDER BY url DESC",
    "SELECT * FROM downloads ORDER BY url",
)


class Ledger:
    """Rows by address in one file; use from one thread, close when done.

    StorageDamaged where the file is torn: `mended` makes another of what can be read.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        with atomic.explained(path), _damage_said(path):
            self._connection = sqlite3.connect(path, timeout=BUSY_SECONDS)
            self._connection.execute("PRAGMA journal_mode = WAL")
            # A killed process loses nothing with NORMAL; only a power cut may undo the last rows.
            self._connection.execute("PRAGMA synchronous = NORMAL")
            with self._connection:
                self._connection.execute(TABLE)

    @classmethod
    @contextlib.contextmanager
    def opened(cls, path: Path) -> "Iterator[Ledger]":
        """The ledger at `path`, made if it is not there, closed after the block.

        Where rows came, a copy is made then, for `mended`.
        """
        ledger = cls(path)
        try:
            yield ledger
            if ledger._connection.total_changes:
                atomic.write_file(_copy_of(path), ledger.copy_to)
        finally:
            ledger.close()

    def copy_to(self, path: Path) -> None:
        """A copy of all committed rows, as a database at `path`."""
        with contextlib.closing(sqlite3.connect(path)) as target:
            self._connection.backup(target)

    @staticmethod
    def is_whole(path: Path) -> bool:
        """Whether SQLite finds the file whole, and every row is one; sqlite3.Error if torn."""
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            sound = connection.execute("PRAGMA quick_check").fetchall() == [("ok",)]
            for row in connection.execute("SELECT * FROM downloads"):
                read(row)
            return sound

    @classmethod
    def copied(cls, path: Path) -> bytes:
        """The ledger as the bytes of one file, every committed row in it."""
        with tempfile.TemporaryDirectory() as folder, cls.opened(path) as ledger:
            ledger.copy_to(Path(folder, path.name))
            return Path(folder, path.name).read_bytes()

    @classmethod
    def merged(cls, path: Path, data: bytes, *, replace: bool = False) -> int:
        """How many rows of a `copied` ledger this one lacked, and has now.

        With `replace` it takes the others' as well.
        """
        with tempfile.TemporaryDirectory() as folder, cls.opened(path) as ledger:
            other = Path(folder, path.name)
            other.write_bytes(data)
            rows = {row.url: row for row in _readable(other)}
            known = ledger.rows(list(rows))
            new = [row for url, row in rows.items() if url not in known]
            ledger.add(rows.values() if replace else new)
            return len(new)

    @classmethod
    def mended(cls, path: Path) -> str:
        """Put another ledger in the place of a damaged one, and say what is in it.

        Of what the damaged one and its copy hold, all rows that can be read; of an address that
        both know the damaged one's. It is kept beside.
        """
        rows = {row.url: row for row in [*_readable(_copy_of(path)), *_readable(path)]}
        aside = path.with_name(f"{path.name}.damaged-{time.time_ns()}")
        if path.exists():
            path.rename(aside)
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        with cls.opened(path) as ledger:
            ledger.add(rows.values())
        return (
            f"with {len(rows):,} addresses that could be read (the damaged one is {aside.name}); "
            "others are asked again"
        )

    def close(self) -> None:
        """Let go of the file; every row that `add` returned for is in it."""
        self._connection.close()

    def add(self, rows: Iterable[Download]) -> None:
        """Commit these rows together; a row for an address that has one takes its place."""
        marks = ", ".join("?" * len(COLUMNS))
        with _damage_said(self._path), self._connection:
            self._connection.executemany(
                f"INSERT OR REPLACE INTO downloads VALUES ({marks})",  # noqa: S608 - marks only
                list(map(values, rows)),
            )

    def rows(self, urls: Sequence[str]) -> dict[str, Download]:
        """The rows of these addresses; those that were never finished are missing."""
        found: dict[str, Download] = {}
        for start in range(0, len(urls), ADDRESSES_PER_QUESTION):
            some = urls[start : start + ADDRESSES_PER_QUESTION]
            marks = ", ".join("?" * len(some))
            question = f"SELECT * FROM downloads WHERE url IN ({marks})"  # noqa: S608 - marks only
            with _damage_said(self._path):
                found.update(
                    (row[0], read(row)) for row in self._connection.execute(question, some)
                )
        return found

    def missing(self, urls: Sequence[str], *, retry_failed: bool = False) -> list[str]:
        """The addresses without a row, in order and each once.

        With `retry_failed` those come too whose failure may have passed: a dead link stays dead,
        a timeout need not.
        """
        return lacking(self.rows(urls), urls, retry_failed=retry_failed)


@contextlib.contextmanager
def _damage_said(path: Path) -> Iterator[None]:
    """StorageDamaged where the file is to blame for what SQLite says, or a row is none."""
    try:
        yield
    except (sqlite3.DatabaseError, ValueError) as error:
        if isinstance(error, sqlite3.Error) and not is_damage(error):
            raise
        raise StorageDamaged(f"the ledger {path} is damaged ({error}): {MEND}") from error


def _readable(path: Path) -> Iterator[Download]:
    """Rows from both ends of the table, each as far as it can be read."""
    if not path.is_file():
        return
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        for all_rows in FROM_BOTH_ENDS:
            with contextlib.suppress(sqlite3.Error, ValueError):
                for row in connection.execute(all_rows):
                    with contextlib.suppress(ValueError, TypeError):
                        yield read(row)


def _copy_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.copy")


def lacking(known: Mapping[str, Download], urls: Sequence[str], *, retry_failed: bool) -> list[str]:
    """Of addresses, in order and each once, those that nothing final is known of."""

    def wanted(url: str) -> bool:
        row = known.get(url)
        return row is None or (retry_failed and row.status.may_succeed_later)

    return [url for url in dict.fromkeys(urls) if wanted(url)]


def read(row: Sequence[object]) -> Download:
    """A row's values as what they are; ValueError or TypeError where they are none."""
    values = dict(zip(COLUMNS, row, strict=True))
    values["status"] = DownloadStatus(str(values["status"]))
    return Download(**values)  # type: ignore[arg-type]  # SQLite gives back what was put in
