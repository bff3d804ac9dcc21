"""The ledger of downloads in PostgreSQL: the same rows as in SQLite, for several machines."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from storage.database.connecting import Database
from storage.errors import StorageDamaged
from storage.ledger import COLUMNS, TABLE, Download, lacking, read, values

# Text of PostgreSQL holds every character but this one.
NUL, SHOWN_NUL = "\x00", "\N{SYMBOL FOR NULL}"
ROWS_AT_A_TIME = 2000
NAMES = ", ".join(f'"{name}"' for name in COLUMNS)
# One question for many rows: an array of each column.
TYPES = {"code": "bigint", "bytes": "bigint", "attempts": "bigint", "seconds": "float8"}
ARRAYS = ", ".join(f"%s::{TYPES.get(name, 'text')}[]" for name in COLUMNS)
REPLACED = ", ".join(f'"{name}" = excluded."{name}"' for name in COLUMNS[1:])
MADE = (
    TABLE.replace("REAL", "DOUBLE PRECISION")
    .replace("INTEGER", "BIGINT")
    .replace("WITHOUT ROWID", "")
)
ADDED = (
    f"INSERT INTO downloads ({NAMES}) SELECT * FROM unnest({ARRAYS}) "  # noqa: S608 - names only
    f"ON CONFLICT (url) DO UPDATE SET {REPLACED}"
)
FOUND = f"SELECT {NAMES} FROM downloads WHERE url = ANY(%s)"  # noqa: S608 - names only


class SharedLedger:
    """Rows by address in the database, as storage.ledger.Ledger has them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._database.do(_made)

    def add(self, rows: Iterable[Download]) -> None:
        """Commit these rows; a row for an address that has one takes its place."""
        given = list({row.url: row for row in rows}.values())
        for start in range(0, len(given), ROWS_AT_A_TIME):
            some = [
                list(map(_stored, values(row))) for row in given[start : start + ROWS_AT_A_TIME]
            ]
            columns = [list(column) for column in zip(*some, strict=True)]
            self._database.do(partial(_asked, ADDED, columns))

    def rows(self, urls: Sequence[str]) -> dict[str, Download]:
        """The rows of these addresses; those that were never finished are missing."""
        asked = {_stored(url): url for url in urls}
        found: dict[str, Download] = {}
        names = [*asked]
        for start in range(0, len(names), ROWS_AT_A_TIME):
            some = names[start : start + ROWS_AT_A_TIME]
            for url, *rest in self._database.do(partial(_asked, FOUND, [some])).fetchall():
                try:
                    found[asked[url]] = read((asked[url], *rest))
                except ValueError as error:
                    raise StorageDamaged(
                        f"the ledger's row of {url} in the database is damaged ({error}): delete it"
                    ) from error
        return found

    def missing(self, urls: Sequence[str], *, retry_failed: bool = False) -> list[str]:
        """The addresses without a row, in order and each once; as storage.ledger says."""
        return lacking(self.rows(urls), urls, retry_failed=retry_failed)


def _asked(question: str, values: list[Any], connection: Any) -> Any:
    return connection.execute(question, values)


def _made(connection: Any) -> None:
    # Two that make a table at once are in each other's way, though both ask whether it is there.
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('darkroom.downloads'))")
        connection.execute(MADE)


def _stored(value: Any) -> Any:
    return value.replace(NUL, SHOWN_NUL) if isinstance(value, str) else value
