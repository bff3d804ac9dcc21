"""What the workspace holds: sizes, damage, and what nothing needs any more.

Needed is what can be reached: every report keeps its evaluation and model; an experiment with a
report keeps what its records point to, features, split and images included; the newest record of
each step keeps its result. The rest is unneeded.
"""

import contextlib
import re
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from storage import folders, manifests, publications, records
from storage.atomic import TEMPORARY_PREFIX
from storage.errors import StorageDamaged
from storage.folders import RUN
from storage.images import ImageStore
from storage.names import as_file_name
from storage.shards import ShardStore
from storage.workspace import Workspace

DAY_SECONDS = 24 * 3600.0
LEFTOVER_SECONDS = DAY_SECONDS
# Long enough for whoever comes back after a weekend to a training that was killed.
UNFINISHED_DAYS = 7
PUBLISH = "publish"
# They lie among results, and have rules of their own.
LINEAGE = "lineage"
NOT_RESULTS = frozenset({publications.FOLDER, LINEAGE})
IMAGE_TABLE = frozenset({"image", "status"})


class Size(NamedTuple):
    """How much there is of one kind of thing."""

    name: str
    files: int
    bytes: int


@dataclass(frozen=True)
class Needs:
    """What stays: places that something points to, images that their tables name, what is young."""

    places: set[Path]
    images: set[str]
    older_than_seconds: float

    def free(self, path: Path, *, taken_up: bool = False) -> bool:
        """Whether what nothing points to may go; a run may take up work that was not finished."""
        age = UNFINISHED_DAYS * DAY_SECONDS if taken_up else self.older_than_seconds
        return _is_finished(path) and _age_seconds(path) >= age


class Kind(NamedTuple):
    """How one kind of thing is looked after: which files are damaged, and which can go."""

    damaged: Callable[[Workspace], Iterable[Path]]
    unneeded: Callable[[Workspace, Needs], Iterable[Path]]


def sizes(workspace: Workspace) -> list[Size]:
    """Files and bytes by kind; hard links of split trees count once, with the images."""
    found = []
    for kind in KINDS:
        files = [path for path in (workspace.root / kind).rglob("*") if _is_own_file(path)]
        own = [path for path in files if kind != "splits" or path.stat().st_nlink == 1]
        found.append(Size(kind, len(files), sum(path.stat().st_size for path in own)))
    return found


def damaged(workspace: Workspace) -> list[Path]:
    """Every stored file whose content is not what its name, or its folder's list, says."""
    return sorted(chain.from_iterable(kind.damaged(workspace) for kind in KINDS.values()))


def require_none(found: list[Path]) -> None:
    """StorageDamaged if anything was found."""
    lines = [path for path in found if path.parent.name == LINEAGE]
    more = (
        f". {len(lines)} of them say where sticky splits put their pictures ({lines[0]}), which no "
        "run can make again: restore those from a backup; without them new splits begin"
        if lines
        else ""
    )
    if found:
        raise StorageDamaged(
            f"{len(found)} stored files are damaged: delete them and run the experiments again, "
            f"only what is missing will be made{more}"
        )


def unneeded(workspace: Workspace, *, older_than_seconds: float = 0.0) -> list[Path]:
    """Files and folders that can go, sorted.

    What was written within the last `older_than_seconds` is left alone, since a running step may
    be about to refer to it; leftovers of killed writes go after LEFTOVER_SECONDS, and killed work
    that a run could take up again, its pictures and features included, goes UNFINISHED_DAYS after
    it was last written to.
    """
    places = _needed(workspace)
    needs = Needs(places, _images_in(places), older_than_seconds)
    gone = [path for kind in KINDS.values() for path in kind.unneeded(workspace, needs)]
    return sorted([*gone, *_leftovers(workspace, set(gone))])


def _shard_stores(folder: Path) -> list[ShardStore]:
    return [ShardStore(path) for path in sorted(folder.glob("*")) if path.is_dir()]


def _leftovers(workspace: Workspace, gone: set[Path]) -> Iterator[Path]:
    for path in workspace.root.rglob(f"{TEMPORARY_PREFIX}*"):
        if _age_seconds(path) > LEFTOVER_SECONDS and gone.isdisjoint([path, *path.parents]):
            yield path


def _age_seconds(path: Path) -> float:
    try:
        return time.time() - path.lstat().st_mtime
    except FileNotFoundError:
        return 0.0


def _is_finished(path: Path) -> bool:
    return not path.name.startswith(TEMPORARY_PREFIX)


def _is_result(path: Path) -> bool:
    return path.name[0] != "." and path.name not in NOT_RESULTS


def _is_own_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _needed(workspace: Workspace) -> set[Path]:
    """Places that a record of any run, or an experiment's memory, points to."""
    keep: set[Path] = set()
    for record in _kept_records(workspace):
        keep.add(workspace.root / record.result["where"])
        if record.result.get("tree"):
            keep.add(workspace.root / record.result["tree"])
    keep.update(publications.needed(workspace))
    keep.update(_reported(workspace))
    for path in _lines(workspace):
        keep.update(workspace.root / place for place in _continued(folders.read_json(path)))
    return keep


def _lines(workspace: Workspace) -> list[Path]:
    return sorted((workspace.splits / LINEAGE).glob("*.json"))


def _continued(line: dict[str, Any]) -> list[str]:
    """Where the assignments lie that a lineage names."""
    both = (line["assignment"], line["previous"])
    return [str(one["where"]) for one in both if one is not None]


def _damaged_lines(workspace: Workspace) -> Iterator[Path]:
    """Lineages that cannot be read, or whose assignment is not whole."""
    for path in _lines(workspace):
        try:
            line = folders.read_json(path)
            assignment = workspace.root / line["assignment"]["where"]
            if _continued(line) and manifests.is_whole(assignment):
                continue
        except (StorageDamaged, KeyError, TypeError, AttributeError):
            pass
        yield path


def _damaged_features(workspace: Workspace) -> Iterator[Path]:
    """Shards, and lists of shards that cannot be read or name some that are not there."""
    yield from _shards("features")(workspace)
    for store in _shard_stores(workspace.features):
        there = _present(store)
        for path in filter(_is_finished, sorted(store.folder.glob("sets/*.json"))):
            named = _named_shards(store, path)
            if named is None or not named <= there:
                yield path


def _damaged_records(workspace: Workspace) -> Iterator[Path]:
    """Records that cannot be read: runs pass over them, and no longer know why a step runs."""
    for path in sorted(workspace.records.glob("*/*/*.json")):
        if _is_finished(path) and not records.is_readable(path):
            yield path


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


def _unneeded_images(workspace: Workspace, needs: Needs) -> Iterator[Path]:
    """Images that can go; those in no table yet are a killed run's, which may fetch the rest."""
    store = ImageStore(workspace.images)
    finished: set[str] = set()
    for path in workspace.manifests.glob("*.parquet"):
        with contextlib.suppress(StorageDamaged):  # what it names is kept for longer
            finished |= _images_in([path])
    for name in store.names():
        if name not in needs.images and needs.free(store.path(name), taken_up=name not in finished):
            yield store.path(name)


def _unneeded_facts(workspace: Workspace, needs: Needs) -> Iterator[Path]:
    """Shards of facts without any needed image."""
    for store in _shard_stores(workspace.facts):
        known = store.index()
        used = {shard for name, (shard, _) in known.items() if name in needs.images}
        yield from (path for path in store.paths() if path not in used and needs.free(path))


def _unneeded_features(workspace: Workspace, needs: Needs) -> Iterator[Path]:
    """Sets that nothing needs, and shards that no set lists which stays.

    Shards of no set at all are unfinished work.
    """
    for store in _shard_stores(workspace.features):
        sets = [path for path in store.folder.glob("sets/*.json") if _is_finished(path)]
        gone = {path for path in sets if path not in needs.places and needs.free(path)}
        lists = {path: _listed(store, path) for path in sets}
        finished = {path for listed in lists.values() for path, _ in listed}
        listed = set().union(*(found for path, found in lists.items() if path not in gone))
        yield from gone
        for path in store.paths():
            shard = (path, path.stat().st_size)
            if shard not in listed and needs.free(path, taken_up=path not in finished):
                yield path


def _listed(store: ShardStore, path: Path) -> set[tuple[Path, int]]:
    """The shards in this list and their bytes; all there are where the list cannot be read."""
    named = _named_shards(store, path)
    return _present(store) if named is None else named


def _named_shards(store: ShardStore, path: Path) -> set[tuple[Path, int]] | None:
    """The same, None where the list cannot be read."""
    try:
        shards = folders.read_json(path)["shards"]
        return {(store.folder / name, size) for name, size in shards.items()}
    except (StorageDamaged, KeyError, TypeError, AttributeError):
        return None


def _present(store: ShardStore) -> set[tuple[Path, int]]:
    return {(shard, shard.stat().st_size) for shard in store.paths()}


def of_experiment(workspace: Workspace, experiment: str) -> list[Path]:
    """What is this experiment's alone: its reports, records, publications and sticky splits.

    What they point to (models, features, pictures) is not among it, others may need it too.
    """
    name = as_file_name(experiment)
    link = publications.link(workspace, experiment)
    lines = _lines(workspace)
    own = [
        workspace.reports / name,
        workspace.records / name,
        link,
        *(
            link.with_name(link.name + suffix)
            for suffix in (publications.HISTORY, publications.CARD)
        ),
        *(path for path in lines if re.fullmatch(rf"{re.escape(name)}-\d+", path.stem)),
    ]
    return [path for path in own if path.exists() or path.is_symlink()]


def by_kind(workspace: Workspace, paths: list[Path]) -> dict[str, list[Path]]:
    """`paths` by the kind of thing they are, in the order of KINDS."""
    groups: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        groups[path.relative_to(workspace.root).parts[0]].append(path)
    return {kind: groups[kind] for kind in KINDS if kind in groups}


def total(paths: list[Path]) -> int:
    """Bytes of these files and of the files in these folders."""
    files = [file for path in paths for file in (path.rglob("*") if _is_folder(path) else [path])]
    return sum(file.stat().st_size for file in files if _is_own_file(file))


def remove(paths: list[Path]) -> None:
    """Delete these files and folders; what is gone already is no error."""
    for path in paths:
        if _is_folder(path):
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _none_damaged(_: Workspace) -> Iterable[Path]:
    """Of what says nothing of what it should hold."""
    return ()


def _none_unneeded(_: Workspace, __: Needs) -> Iterable[Path]:
    """Of what only its experiment's end frees."""
    return ()


def _of_pattern(pattern: str) -> Callable[[Workspace, Needs], Iterable[Path]]:
    """What lies at paths like this and is no place that is needed."""

    def unneeded(workspace: Workspace, needs: Needs) -> Iterable[Path]:
        found = (path for path in workspace.root.glob(pattern) if path.name not in NOT_RESULTS)
        return (path for path in found if path not in needs.places and needs.free(path))

    return unneeded


def _result_folders(pattern: str) -> Callable[[Workspace], Iterable[Path]]:
    """The damaged ones of the result folders at paths like this."""

    def damaged_ones(workspace: Workspace) -> Iterable[Path]:
        found = sorted(workspace.root.glob(pattern))
        return folders.damaged(path for path in found if _is_folder(path) and _is_result(path))

    return damaged_ones


def _abandoned(folder: str) -> Callable[[Workspace, Needs], Iterable[Path]]:
    """Folders in this one to which nothing was written for UNFINISHED_DAYS."""

    def unneeded(workspace: Workspace, _: Needs) -> Iterable[Path]:
        for path in (workspace.root / folder).glob("*"):
            # Work goes on deep inside, which leaves the folder's own time as it was.
            youngest = min(map(_age_seconds, [path, *path.rglob("*")]))
            old_enough = youngest >= UNFINISHED_DAYS * DAY_SECONDS
            if path.is_dir() and _is_finished(path) and old_enough:
                yield path

    return unneeded


def _shards(folder: str) -> Callable[[Workspace], Iterable[Path]]:
    def damaged_ones(workspace: Workspace) -> Iterable[Path]:
        stores = _shard_stores(workspace.root / folder)
        return chain.from_iterable(store.damaged() for store in stores)

    return damaged_ones


# Folder of the workspace -> how what lies there is looked after.
KINDS = {
    "images": Kind(lambda workspace: ImageStore(workspace.images).damaged(), _unneeded_images),
    "manifests": Kind(
        lambda workspace: manifests.damaged(workspace.manifests), _of_pattern("manifests/*.parquet")
    ),
    "facts": Kind(_shards("facts"), _unneeded_facts),
    "splits": Kind(_damaged_lines, _of_pattern("splits/*")),
    "features": Kind(_damaged_features, _unneeded_features),
    "models": Kind(_result_folders("models/*"), _of_pattern("models/*")),
    "evaluations": Kind(_result_folders("evaluations/*"), _of_pattern("evaluations/*")),
    "reports": Kind(_result_folders("reports/*/*"), _none_unneeded),
    "records": Kind(_damaged_records, _none_unneeded),
    "results": Kind(_none_damaged, _none_unneeded),
    "downloads": Kind(_none_damaged, _none_unneeded),
    "unfinished": Kind(_none_damaged, _abandoned("unfinished")),
    "tensorboard": Kind(_none_damaged, _abandoned("tensorboard")),
}
