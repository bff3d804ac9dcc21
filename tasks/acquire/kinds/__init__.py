"""The kinds of sources, one module each: what it fetches, what it holds now, its rows.

`fetch` brings lists and archives from the web to this disk, those that are not there yet; with
`revisit` those that are there are asked for again, on condition that they have changed.
`fingerprint` is what a source holds right now, as one digest, without reading again what has not
been touched; nothing is fetched for it (`darkroom explain` asks as well), and what is not on this
disk yet counts by its address. `rows` are its name, to be shown, and the table of its collection;
pictures go to the image store on the way.
"""

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, cast

from storage import atomic, digests
from storage.fingerprints import Fingerprints
from storage.folders import read_json
from storage.workspace import Workspace
from tasks.acquire import choosing
from tasks.acquire.collection import Collected
from tasks.acquire.files import Found
from tasks.acquire.gathering import Gathering
from tasks.acquire.parameters import LATER, MANNERS, Source


class Kind(Protocol):
    """What the module of a kind has; sources are of its own class."""

    def fetch(self, workspace: Workspace, source: Any, *, revisit: bool) -> None:
        """Bring what is needed to this disk."""

    def fingerprint(self, workspace: Workspace, source: Any) -> str:
        """What the source holds now."""

    def listing(self, source: Any) -> Iterator[Found]:
        """Its files, pictures only named; kinds on this disk alone have it."""

    def rows(self, source: Any, gathering: Gathering) -> Collected:
        """The source's name and its rows."""


def kind_of(source: Source) -> Kind:
    """What the source's kind knows to do: the module here that is called as its `kind`.

    Imported where a source is of this kind: the others cost nothing.
    """
    return cast("Kind", importlib.import_module(f"{__name__}.{source.kind}"))


def fetch(workspace: Workspace, source: Source, *, revisit: bool = False) -> None:
    """Bring what the source needs from the web to this disk."""
    kind_of(source).fetch(workspace, source, revisit=revisit)


def fingerprint(
    workspace: Workspace, source: Source, lists: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Digest of the source's content; of its address where it is still to be fetched.

    Tables and lists on this disk count with it.
    """
    own = kind_of(source).fingerprint(workspace, source)
    named = [getattr(source, name, None) for name in ("label_csv", "class_names")]
    paths = [Path(name).expanduser() for name in (*named, *lists.values()) if name]
    files = [path for path in paths if path.is_file()]
    if not files:
        return own
    return digests.of_value([own, *Fingerprints(workspace.fingerprints).of_files(files)])


def rows(source: Source, gathering: Gathering) -> Collected:
    """The source's name, to be shown, the rows of its collection, and how it was understood.

    Classes are the chosen ones, merged as the user says.
    """
    collected = kind_of(source).rows(source, gathering)
    table, remarks = choosing.chosen(collected.table, source)
    return Collected(collected.origin, table, (*collected.remarks, *remarks))


def distrust(workspace: Workspace, source: Source) -> None:
    """Make the next `fingerprint` read every file, also those that seem to be as they were."""
    memo = Fingerprints(workspace.fingerprints)
    for value in source.model_dump().values():
        if isinstance(value, Path):
            memo.forget(value)


def visits(workspace: Workspace, source: Source) -> int:
    """How often a refresh, or a retry, has gone through the source's addresses again."""
    path = _visit_file(workspace, source)
    return int(read_json(path)["visits"]) if path.exists() else 0


def begin_visit(workspace: Workspace, source: Source) -> None:
    """Make the next `acquire` go through the source's addresses again, if it has any."""
    fetch(workspace, source, revisit=True)
    if source.has_addresses:
        number = visits(workspace, source) + 1
        atomic.write_json(_visit_file(workspace, source), {"visits": number})


def _visit_file(workspace: Workspace, source: Source) -> Path:
    name = digests.of_value(source.model_dump(mode="json", exclude=set(MANNERS | LATER)))[:32]
    return workspace.downloads / "visits" / f"{name}.json"
