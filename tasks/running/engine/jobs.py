"""Work on many names, cut into units: each is done and stored at once, by whoever takes it.

A unit is stored under a name that follows from its content, so that one that is done twice, as when
a worker was lost before it could say so, is there once.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from tasks.running.progress import Advance


class Job(Protocol):
    """What to do with names. It can be pickled: a worker gets it once, prepares it once.

    `unit` is how many names are done and stored together, `threads` how many to use. Results go to
    shards in `folders`; nothing is returned but how many there are.
    """

    threads: int

    @property
    def unit(self) -> int:
        """How many names are done and stored together."""

    @property
    def folders(self) -> Iterable[Path]:
        """The stores that results go to."""

    def work(self, names: list[str], advance: Advance) -> int:
        """Do this with some names, and store it; how many were done."""


def units(names: list[str], size: int) -> list[list[str]]:
    """The names in their order, so many at a time."""
    return [names[start : start + size] for start in range(0, len(names), size)]
