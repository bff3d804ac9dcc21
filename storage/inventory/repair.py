"""Repair: what can be made again is removed, so that it is; what cannot is restored from copies."""

from pathlib import Path
from typing import NamedTuple

from storage import generations, publications, records
from storage.errors import StorageDamaged
from storage.inventory import damage, looking
from storage.ledger import Ledger
from storage.references import stored
from storage.wholeness import is_whole
from storage.workspace import Workspace

# Folders with one for each experiment.
EXPERIMENTS = ("records", "reports")
NO_COPY = "there is no copy of it: restore it from a backup"


class Repaired(NamedTuple):
    """What was removed, what was restored (and as what), and what is left damaged (and why).

    `experiments` are those of which a step has to run again.
    """

    removed: list[Path]
    restored: dict[Path, str]
    left: dict[Path, str]
    experiments: list[str]


def mend(workspace: Workspace, found: list[Path]) -> Repaired:
    """Mend a workspace of which `found` is damaged (all of it, as `looking.damaged` gives it).

    What no run makes again is never removed.
    """
    restored, left = {}, {}
    kept: set[Path] = set()
    for path in damage.irreplaceable(workspace):
        kept.add(path)
        try:
            if not generations.is_whole(workspace, path):
                restored[path] = generations.restore(workspace, path)
            if not damage.can_be_read(workspace, path):
                left[path] = NO_COPY
        except StorageDamaged as error:
            left[path] = str(error)
    if workspace.ledger in found:
        kept.add(workspace.ledger)
        restored[workspace.ledger] = Ledger.mended(workspace.ledger)
    removed = [path for path in found if path not in kept]
    looking.remove(removed)
    for path in kept - left.keys() - {workspace.ledger}:
        generations.keep(workspace, path)
    # Links and cards are what restored logs say they are.
    looking.remove([path for path in damage.of_publications(workspace) if path not in left])
    for log in damage.logs(workspace):
        if log not in left:
            publications.current(workspace, publications.named(log))  # makes link and card anew
    return Repaired(removed, restored, left, _to_run(workspace, removed))


def _to_run(workspace: Workspace, removed: list[Path]) -> list[str]:
    """Experiments whose own files went, or of which the newest result of a step is not whole."""
    places = [path.relative_to(workspace.root).parts for path in removed]
    found = {one[1] for one in places if one[0] in EXPERIMENTS and len(one) > 2}
    for record in records.newest(workspace):
        result = stored(workspace.results / record.key)
        if result is None or not is_whole(workspace, result):
            found.add(record.experiment)
    return sorted(found)
