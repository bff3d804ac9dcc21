"""A table: its name, its columns where they have names, and its rows, as often as wanted."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from storage.errors import SourceTooLarge

MOST_COLUMNS = 4096

Row = list[str]


@dataclass(frozen=True)
class Table:
    """Rows of texts; `header` is None where the first row may be names of columns, or may be data.

    `name` is where it lies in its source (or on disk), `folder` the part of it that names in the
    table may be relative to, `said` how it was read, where that is not certain.
    """

    name: str
    rows: Callable[[], Iterator[Row]]
    header: tuple[str, ...] | None = None
    folder: str = ""
    said: str = ""


def require_few_columns(number: int, name: str) -> None:
    """SourceTooLarge for a table that is wider than any table of labels."""
    if number > MOST_COLUMNS:
        raise SourceTooLarge(
            f"{name} has {number:,} columns, expected at most {MOST_COLUMNS:,}: leave only names, "
            "labels and splits in it"
        )
