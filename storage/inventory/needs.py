"""What nothing needs any more, and may go.

Needed is what can be reached: every report keeps its evaluation and model; an experiment with a
report keeps what its records point to, features, split and images included; the newest record of
each step keeps its result. The rest is unneeded.
"""

import contextlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from storage import folders, generations, manifests, publications, records
from storage.atomic import TEMPORARY_PREFIX, half
from storage.errors import StorageDamaged
from storage.folders import RUN
from storage.images import ImageStore
from storage.inventory.damage import (
    NOT_RESULTS,
    continued,
    is_finished,
    lines,
    named_shards,
    present,
    shard_stores,
)
from storage.shards import ShardStore
from storage.workspace import Workspace

DAY_SECONDS = 24 * 3600.0
LEFTOVER_SECONDS = DAY_SECONDS
# Long enough for whoever comes back after a weekend to a training that was killed.
UNFINISHED_DAYS = 7
PUBLISH = "publish"
IMAGE_TABLE = frozenset({"image", "status"})


@dataclass(frozen=True)
class Needs:
    """What stays: places that something points to, images that their tables name, what is young."""

    places: set[Path]
    images: set[str]
    older_than_seconds: float

    @classmethod
    def of(cls, workspace: Workspace, older_than_seconds: float) -> "Needs":
        """Of all experiments there are."""
        places = _needed(workspace)
        return cls(places, _images_in(places), older_than_seconds)

    def free(self, path: Path, *, taken_up: bool = False) -> bool:
        """Whether what nothing points to may go; a run may take up work that was not finished."""
        age = UNFINISHED_DAYS * DAY_SECONDS if taken_up else self.older_than_seconds
        return is_finished(path) and age_seconds(path) >= age


def none(_: Workspace, __: Needs) -> Iterable[Path]:
    """Of what only its experiment's end frees."""
    return ()


def halves(workspace: Workspace, writer: str) -> Iterator[Path]:
    """What a process that is gone had begun to write."""
    return workspace.root.rglob(f"{half(writer)}*")


def leftovers(workspace: Workspace, gone: set[Path]) -> Iterator[Path]:
    """Half-written files of killed processes, where they are not part of what goes anyway."""
    for path in workspace.root.rglob(f"{TEMPORARY_PREFIX}*"):
        if age_seconds(path) > LEFTOVER_SECONDS and gone.isdisjoint([path, *path.parents]):
            yield path


def age_seconds(path: Path) -> float:
    """How long ago the file was written to; 0 where it is gone."""
    try:
        return time.time() - path.lstat().st_mtime
    except FileNotFoundError:
        return 0.0


def of_pattern(pattern: str) -> Callable[[Workspace, Needs], Iterable[Path]]:
    """What lies at paths like this and is no place that is needed."""

    def unneeded(workspace: Workspace, needs: Needs) -> Iterable[Path]:
        found = (path for path in workspace.root.glob(pattern) if path.name not in NOT_RESULTS)
        return (path for path in found if path not in needs.places and needs.free(path))

    return unneeded


def abandoned(folder: str) -> Callable[[Workspace, Needs], Iterable[Path]]:
    """Folders in this one to which nothing was written for UNFINISHED_DAYS."""

    def unneeded(workspace: Workspace, _: Needs) -> Iterable[Path]:
        for path in (workspace.root / folder).glob("*"):
            # Work goes on deep inside, which leaves the folder's own time as it was.
            youngest = min(map(age_seconds, [path, *path.rglob("*")]))
            old_enough = youngest >= UNFINISHED_DAYS * DAY_SECONDS
            if path.is_dir() and is_finished(path) and old_enough:
                yield path

    return unneeded


def of_images(workspace: Workspace, needs: Needs) -> Iterator[Path]:
    """Images that can go; those in no table yet are a killed run's, which may fetch the rest."""
    store = ImageStore(workspace.images)
    finished: set[str] = set()
    for path in workspace.manifests.glob("*.parquet"):
        with contextlib.suppress(StorageDamaged):  # what it names is kept for longer
            finished |= _images_in([path])
    for name in store.names():
        if name not in needs.images and needs.free(store.path(name), taken_up=name not in finished):
            yield store.path(name)


def of_facts(workspace: Workspace, needs: Needs) -> Iterator[Path]:
    """Shards of facts without any needed image."""
    for store in shard_stores(workspace.facts):
        known = store.index()
        used = {shard for name, (shard, _) in known.items() if name in needs.images}
        yield from (path for path in store.paths() if path not in used and needs.free(path))


def of_features(workspace: Workspace, needs: Needs) -> Iterator[Path]:
    """Sets that nothing needs, and shards that no set lists which stays.

    Shards of no set at all are unfinished work.
    """
    for store in shard_stores(workspace.features):
        sets = [path for path in store.folder.glob("sets/*.json") if is_finished(path)]
        gone = {path for path in sets if path not in needs.places and needs.free(path)}
        lists = {path: _listed(store, path) for path in sets}
        finished = {path for listed in lists.values() for path, _ in listed}
        listed = set().union(*(found for path, found in lists.items() if path not in gone))
        yield from gone
        for path in store.paths():
            shard = (path, path.stat().st_size)
            if shard not in listed and needs.free(path, taken_up=path not in finished):
                yield path


def of_generations(workspace: Workspace, needs: Needs) -> Iterator[Path]:
    """Copies of tables that no lineage names any more."""
    for path in generations.folder(workspace, workspace.manifests).glob("*"):
        if workspace.manifests / path.name not in needs.places and needs.free(path):
            yield path


def _listed(store: ShardStore, path: Path) -> set[tuple[Path, int]]:
    """The shards in this list and their bytes; all there are where the list cannot be read."""
    named = named_shards(store, path)
    return present(store) if named is None else named


def _needed(workspace: Workspace) -> set[Path]:
    """Places that a record of any run, or an experiment's memory, points to."""
    keep: set[Path] = set()
    for record in _kept_records(workspace):
        keep.add(workspace.root / record.result["where"])
        for beside in ("tree", "corrections"):
            if record.result.get(beside):
                keep.add(workspace.root / record.result[beside])
    keep.update(publications.needed(workspace))
    keep.update(_reported(workspace))
    for path in lines(workspace):
        generations.read(workspace, path)
        for one in (path, *filter(generations.is_copy_whole, generations.copies(workspace, path))):
            keep.update(workspace.root / place for place in continued(folders.read_json(one)))
    return keep


def _kept_records(workspace: Workspace) -> Iterator[records.Record]:
    """Records of runs that ended in a report that is still there, and the newest of each step."""
    by_step: dict[tuple[str, str], list[records.Record]] = defaultdict(list)
    for record in records.all_of(workspace):
        by_step[record.experiment, record.step].append(record)
    reports = {name: _with_report(workspace, by_step[name, PUBLISH]) for name, _ in [*by_step]}
    for (experiment, step), found in by_step.items():
        if step == PUBLISH:
            yield from reports[experiment]
        else:
            yield from found if reports[experiment] else found[-1:]


def _with_report(workspace: Workspace, found: list[records.Record]) -> list[records.Record]:
    return [one for one in found if (workspace.root / one.result["where"]).exists()]


def _reported(workspace: Workspace) -> Iterator[Path]:
    """Models and evaluations that reports name; records are pruned, reports are not."""
    for path in workspace.reports.glob(f"*/*/{RUN}"):
        yield from (workspace.root / place for place in _named(path))


def _named(path: Path) -> list[str]:
    try:
        run = folders.read_json(path)
        return [str(run[key]) for key in ("model", "evaluation") if run.get(key)]
    except (StorageDamaged, AttributeError):  # damaged: `damaged` tells of it
        return []


def _images_in(tables: Iterable[Path]) -> set[str]:
    """The images that the manifests among these name; StorageDamaged if one cannot be read."""
    names: set[str] = set()
    for path in tables:
        if path.suffix == ".parquet" and manifests.is_parquet(path):
            table = manifests.load(path)
            if IMAGE_TABLE.issubset(table.columns):
                names.update(table["image"])
    return names
