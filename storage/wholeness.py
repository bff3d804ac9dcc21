"""Is what a reference points to still there, whole? Sizes and marks tell; no picture is read."""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from storage import elsewhere, folders, manifests, trees
from storage.errors import StorageDamaged
from storage.features import FeatureSpace
from storage.images import ImageStore
from storage.references import (
    SPLITS,
    AssignmentRef,
    CollectionRef,
    FeaturesRef,
    ImagesRef,
    Reference,
    SplitRef,
)
from storage.workspace import Workspace


def is_whole(workspace: Workspace, reference: Reference) -> bool:
    """True if everything that `reference` stands for is there; False is a reason to run again.

    What cannot be read is not whole, so that the step that made it runs and heals it.
    """
    check = CHECKS.get(type(reference), _folder)
    try:
        return check(workspace, reference)
    except (StorageDamaged, OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def lacking(workspace: Workspace, reference: Reference) -> list[Path]:
    """Of what `is_whole` does not find whole, the files and folders that are not there, whole.

    What it points to itself, where nothing more can be told.
    """
    path = workspace.path(reference)
    found: list[Path] = []
    with contextlib.suppress(StorageDamaged, OSError, ValueError, KeyError, TypeError):
        if isinstance(reference, CollectionRef):
            table = manifests.load(path)
            stored = table[table["image"] != ""].drop_duplicates("image")
            store = ImageStore(workspace.images)
            both = zip(stored["image"], stored["bytes"], strict=True)
            lost = (store.path(name) for name, size in both if not store.has(name, size))
            found = [path for path in lost if not elsewhere.holds(path)]
        elif isinstance(reference, SplitRef) and reference.tree and manifests.is_whole(path):
            found = [workspace.root / reference.tree]
    return found or [path]


def leaves_of(workspace: Workspace, split: Any) -> list[trees.Leaf]:
    """The leaves of a split's folder tree, from its manifest (a DataFrame)."""
    store = ImageStore(workspace.images)
    placed = split[split["split"].isin(SPLITS)]
    return [
        trees.Leaf(row.split, row.label, row.name, store.path(row.image))
        for row in placed[["split", "label", "name", "image"]].itertuples(index=False)
    ]


def _table(workspace: Workspace, reference: Reference) -> Path | None:
    path = workspace.path(reference)
    return path if manifests.is_parquet(path, reference.bytes) else None


def _collection(workspace: Workspace, reference: CollectionRef) -> bool:
    path = _table(workspace, reference)
    if path is None:
        return False
    table = manifests.load(path)
    stored = table[table["image"] != ""].drop_duplicates("image")
    store = ImageStore(workspace.images)
    both = zip(stored["image"], stored["bytes"], strict=True)
    return all(
        store.has(name, size) or elsewhere.holds(store.path(name), size) for name, size in both
    )


def _images(workspace: Workspace, reference: Reference) -> bool:
    path = _table(workspace, reference)
    # Read, since a table damaged between its marks would stop the steps that take it.
    return path is not None and not manifests.load(path).columns.empty


def _split(workspace: Workspace, reference: SplitRef) -> bool:
    path = _table(workspace, reference)
    # Without its lineage the next split would begin anew, and pictures would move.
    if path is None or not (workspace.root / reference.lineage).exists():
        return False
    table = manifests.load(path)
    if not reference.tree:
        return not table.columns.empty
    tree = workspace.root / reference.tree
    if not tree.exists() and elsewhere.remote(workspace) is not None:
        return True  # a tree stays with the machine that made it
    return trees.is_whole(tree, leaves_of(workspace, table))


def _features(workspace: Workspace, reference: FeaturesRef) -> bool:
    path = workspace.path(reference)
    shards = json.loads(path.read_bytes())["shards"]
    FeatureSpace.load(workspace, reference)
    return all(
        folders.has_size(path.parents[1] / name, size)
        or elsewhere.holds(path.parents[1] / name, size)
        for name, size in shards.items()
    )


def _folder(workspace: Workspace, reference: Reference) -> bool:
    return folders.is_sealed(workspace.path(reference))


# Any other reference stands for a sealed folder.
CHECKS: dict[type[Reference], Callable[[Workspace, Any], bool]] = {
    CollectionRef: _collection,
    ImagesRef: _images,
    AssignmentRef: _images,
    SplitRef: _split,
    FeaturesRef: _features,
}
