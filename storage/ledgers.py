"""Which ledger of downloads a process uses: the workspace's, or the one in DARKROOM_DATABASE."""

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from storage.ledger import Download, Ledger
from storage.workspace import DATABASE_VARIABLE, Workspace


class AnyLedger(Protocol):
    """What became of addresses; use from one thread."""

    def add(self, rows: Iterable[Download]) -> None:
        """Commit these rows together; a row for an address that has one takes its place."""

    def rows(self, urls: Sequence[str]) -> dict[str, Download]:
        """The rows of these addresses; those that were never finished are missing."""

    def missing(self, urls: Sequence[str], *, retry_failed: bool = False) -> list[str]:
        """The addresses without a row, or with a failure that may have passed, in order."""


@contextlib.contextmanager
def opened(workspace: Workspace) -> Iterator[AnyLedger]:
    """The ledger, made if it is not there."""
    address = os.environ.get(DATABASE_VARIABLE)
    if address:
        from storage.database.connecting import database
        from storage.database.shared_ledger import SharedLedger

        yield SharedLedger(database(address))
        return
    with Ledger.opened(workspace.ledger) as ledger:
        yield ledger


def is_there(workspace: Workspace) -> bool:
    """Whether there is a ledger already."""
    return bool(os.environ.get(DATABASE_VARIABLE)) or workspace.ledger.is_file()
