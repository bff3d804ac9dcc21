"""Work that a run has really done, counted where it is done: pictures decoded, extracted, …"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_CURRENT: ContextVar[dict[str, int] | None] = ContextVar("tally", default=None)


@contextmanager
def counting() -> Iterator[dict[str, int]]:
    """A table that `count` adds to during the block."""
    table: dict[str, int] = {}
    token = _CURRENT.set(table)
    try:
        yield table
    finally:
        _CURRENT.reset(token)


def count(what: str, number: int) -> None:
    """Add `number` to what the run has done; nothing outside of a run."""
    table = _CURRENT.get()
    if table is not None:
        table[what] = table.get(what, 0) + number
