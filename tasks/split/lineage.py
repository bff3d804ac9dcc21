"""The lineage of a sticky split: where every picture that an experiment ever had was put."""

import json
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pandas as pd

from storage import atomic, digests, generations, locks, manifests
from storage.errors import StorageDamaged
from storage.names import as_file_name
from storage.references import SPLITS, AssignmentRef, ImagesRef, SplitRef
from storage.workspace import Workspace
from tasks.running import code_fingerprint
from tasks.split.parameters import Counts, Fractions, Split

NOBODY = ""
"""What a lineage merged from two runs was made for: no split, so that the next one continues it."""


def previous_assignment(
    workspace: Workspace,
    lineage: str | None,
    parameters: Split,
    images: object,
) -> AssignmentRef | None:
    """The assignment that a sticky split of `images` continues; None for the first of its lineage,
    for a split that is not sticky (`lineage` is None) and while `images` is not known.

    Where the newest one was itself made for these images and shares by this code, that is the one
    it continued: the same images ask for the same split again, which is then a cache hit.
    """
    if lineage is None or not isinstance(images, ImagesRef):
        return None
    newest = _newest(workspace, workspace.lineage(as_file_name(lineage), parameters.seed))
    if newest is None:
        return None
    again = newest["made_for"] == _made_for(images, parameters.amounts)
    chosen = newest["previous" if again else "assignment"]
    return AssignmentRef.model_validate(chosen) if chosen else None


def remember(
    workspace: Workspace,
    lineage: str,
    parameters: Split,
    images: ImagesRef,
    split: SplitRef,
    previous: AssignmentRef | None,
) -> None:
    """Make what `split` assigned, with all that was before it, the newest of its lineage.

    Where another run was faster and continued `previous` too, its pictures keep their splits, and
    the next run of either continues what both assigned.
    """
    path = workspace.lineage(as_file_name(lineage), parameters.seed)
    made_for, continued = _made_for(images, parameters.amounts), _plain(previous)
    table = manifests.load(workspace.path(split))
    with _locked(workspace, path):
        newest = _newest(workspace, path)
        first: dict[str, str] = {}
        if newest is not None and _overtaken(newest, made_for, continued):
            made_for, continued = NOBODY, newest["assignment"]
            first = assignment_of(workspace, AssignmentRef.model_validate(continued))
        now = assignment_of(workspace, previous) | _placed(table, first) | first
        content = {
            "made_for": made_for,
            "assignment": _plain(_save(workspace, now)),
            "previous": continued,
        }
        generations.write(workspace, path, atomic.as_json(content))


def _overtaken(newest: dict[str, Any], made_for: str, continued: dict[str, Any] | None) -> bool:
    """Whether another run has been remembered since this one asked what to continue."""
    the_same = (newest["made_for"], newest["previous"]) == (made_for, continued)
    return newest["assignment"] != continued and not the_same


def _placed(table: pd.DataFrame, first: dict[str, str]) -> dict[str, str]:
    """Image -> split of a split's table, without the groups that `first` put somewhere else.

    Their pictures are free to join those in `first` next time; remembered, they would be torn.
    """
    placed = table[table["split"].isin(SPLITS)]
    elsewhere = placed["image"].map(first).fillna(placed["split"]) != placed["split"]
    placed = placed[~placed["group"].isin(placed["group"][elsewhere])]
    return dict(zip(placed["image"], placed["split"], strict=True))


def _save(workspace: Workspace, places: dict[str, str]) -> AssignmentRef:
    table = pd.DataFrame(sorted(places.items()), columns=["image", "split"])
    digest, path = manifests.save(workspace.manifests, table)
    generations.keep(workspace, path)
    return AssignmentRef(
        digest=digest,
        where=workspace.relative(path),
        bytes=path.stat().st_size,
        images=len(table),
    )


def _made_for(images: ImagesRef, amounts: Counts | Fractions) -> str:
    # The cache key of the step has the code too: other code makes another split of these images.
    parts = [
        images.digest,
        amounts.model_dump(mode="json"),
        code_fingerprint.fingerprint("tasks.split"),
    ]
    return digests.of_value(parts)


def _plain(reference: AssignmentRef | None) -> dict[str, Any] | None:
    return reference.model_dump(mode="json") if reference else None


def _locked(workspace: Workspace, path: Path) -> AbstractContextManager[object]:
    return locks.held(workspace, f"lineage-{path.stem}")


def _newest(workspace: Workspace, path: Path) -> dict[str, Any] | None:
    """What a lineage's file says, None for the first one; StorageDamaged if unreadable."""
    found = generations.read(workspace, path)
    if found is None:
        return None
    try:
        newest: dict[str, Any] = json.loads(found)
    except ValueError as error:
        raise StorageDamaged(
            f"expected the lineage of a sticky split at {path}, found none that can be read "
            f"({error}): restore it, or `darkroom cache drop` its experiment to start a new split"
        ) from error
    return newest


def assignment_of(workspace: Workspace, reference: AssignmentRef | None) -> dict[str, str]:
    """Image -> split, pictures that have gone since included; StorageDamaged if it is not whole."""
    if reference is None:
        return {}
    path = workspace.path(reference)
    try:
        generations.read(workspace, path)
        table = manifests.load(path)
        found = manifests.content_digest(table)
    except (StorageDamaged, ValueError, TypeError) as error:
        # Damage may give values that no table has.
        raise _damaged(workspace, reference, str(error.__cause__ or error)) from error
    if found != reference.digest:
        raise _damaged(workspace, reference, "its rows are others")
    return dict(zip(table["image"], table["split"], strict=True))


def _damaged(workspace: Workspace, reference: AssignmentRef, found: str) -> StorageDamaged:
    # Running again would ask for the same table, which no step can make a second time.
    return StorageDamaged(
        f"expected where a sticky split put its pictures at {workspace.path(reference)}, "
        f"found no such table ({found}): restore it (`darkroom cache restore`, from a backup), or "
        "`darkroom cache drop` its experiment to start a new split"
    )
