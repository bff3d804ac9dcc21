"""The kinds of sources, one module each: what it fetches, what it holds now, its rows.

`fetch` brings lists and archives from the web to this disk, those that are not there yet; with
`revisit` those that are there are asked for again, on condition that they have changed.
`fingerprint` is what a source holds right now, as one digest, without reading again what has not
been touched; nothing is fetched for it (`darkroom explain` asks as well), and what is not on this
disk yet counts by its address. `rows` are its name, to be shown, and the table of its collection;
pictures go to the image store on the way.
"""

from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from storage import atomic, digests
from storage.folders import read_json
from storage.workspace import Workspace
from tasks.acquire.gathering import Gathering
from tasks.acquire.kinds import archive, digits, folders, synsets, web_archive
from tasks.acquire.parameters import (
    MANNERS,
    Archive,
    Digits,
    Folders,
    SourceParameters,
    Synsets,
    WebArchive,
)


class Kind(Protocol):
    """What the module of a kind has; sources are of its own class."""

    def fetch(self, workspace: Workspace, source: Any, *, revisit: bool) -> None:
        """Bring what is needed to this disk."""

    def fingerprint(self, workspace: Workspace, source: Any) -> str:
        """What the source holds now."""

    def rows(self, source: Any, gathering: Gathering) -> tuple[str, pd.DataFrame]:
        """The source's name and its collection."""


KINDS: dict[type[SourceParameters], Kind] = {
    Archive: archive,
    Digits: digits,
    Folders: folders,
    Synsets: synsets,
    WebArchive: web_archive,
}


def fetch(workspace: Workspace, source: SourceParameters, *, revisit: bool = False) -> None:
    """Bring what the source needs from the web to this disk."""
    KINDS[type(source)].fetch(workspace, source, revisit=revisit)


def fingerprint(workspace: Workspace, source: SourceParameters) -> str:
    """Digest of the source's content; of its address where it is still to be fetched."""
    return KINDS[type(source)].fingerprint(workspace, source)


def rows(source: SourceParameters, gathering: Gathering) -> tuple[str, pd.DataFrame]:
    """The source's name, to be shown, and the rows of its collection."""
    return KINDS[type(source)].rows(source, gathering)


def visits(workspace: Workspace, source: SourceParameters) -> int:
    """How often a refresh, or a retry, has gone through the source's addresses again."""
    path = _visit_file(workspace, source)
    return int(read_json(path)["visits"]) if path.exists() else 0


def begin_visit(workspace: Workspace, source: SourceParameters) -> None:
    """Make the next `acquire` go through the source's addresses again, if it has any."""
    fetch(workspace, source, revisit=True)
    if source.has_addresses:
        number = visits(workspace, source) + 1
        atomic.write_json(_visit_file(workspace, source), {"visits": number})


def _visit_file(workspace: Workspace, source: SourceParameters) -> Path:
    name = digests.of_value(source.model_dump(mode="json", exclude=set(MANNERS)))[:32]
    return workspace.downloads / "visits" / f"{name}.json"
