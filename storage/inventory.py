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
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from storage import digests, folders, manifests, publications, records
from storage.atomic import TEMPORARY_PREFIX
from storage.errors import StorageDamaged
from storage.folders import RUN
from storage.images import ImageStore
from storage.names import as_file_name
from storage.shards import ShardStore
from storage.workspace import Workspace

KINDS = (
    "images", "manifests", "facts", "splits", "features", "models", "evaluations", "reports",
    "records", "results", "downloads", "unfinished", "tensorboard",
)  # fmt: skip
DAY_SECONDS = 24 * 3600.0
LEFTOVER_SECONDS = DAY_SECONDS
# Long enough for whoever comes back after a weekend to a training that was killed.
UNFINISHED_DAYS = 7
PUBLISH = "publish"
IMAGE_TABLE = frozenset({"image", "status"})


class Size(NamedTuple):
    """How much there is of one kind of thing."""

    name: str
    files: int
    bytes: int


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
    return sorted(
        [
            *_damaged_images(workspace),
            *_damaged_shards(workspace),
            *_damaged_manifests(workspace),
            *_damaged_folders(workspace),
        ]
    )


def require_none(found: list[Path]) -> None:
    """StorageDamaged if anything was found."""
    if found:
        raise StorageDamaged(
            f"{len(found)} stored files are damaged: delete them and run the experiments again, "
            "only what is missing will be made"
        )


def _damaged_images(workspace: Workspace) -> Iterator[Path]:
    store = ImageStore(workspace.images)
    for name in store.names():
        if digests.of_file(store.path(name)) != Path(name).stem:
            yield store.path(name)


def _shard_stores(folder: Path) -> list[ShardStore]:
    return [ShardStore(path) for path in sorted(folder.glob("*")) if path.is_dir()]


def _damaged_shards(workspace: Workspace) -> Iterator[Path]:
    for store in [*_shard_stores(workspace.facts), *_shard_stores(workspace.features)]:
        yield from (path for path in store.paths() if not store.verified(path))


def _damaged_manifests(workspace: Workspace) -> Iterator[Path]:
    for path in sorted(workspace.manifests.glob("*.parquet")):
        if path.name.startswith(TEMPORARY_PREFIX):
            continue
        if not manifests.is_whole(path):
            yield path


def _damaged_folders(workspace: Workspace) -> Iterator[Path]:
    for path in _result_folders(workspace):
        if not folders.is_intact(path):
            yield path


def _result_folders(workspace: Workspace) -> Iterator[Path]:
    for pattern in ("models/*", "evaluations/*", "reports/*/*"):
        for path in sorted(workspace.root.glob(pattern)):
            special = path.is_symlink() or path.name[0] == "." or path.name == publications.FOLDER
            if path.is_dir() and not special:
                yield path


def unneeded(workspace: Workspace, *, older_than_seconds: float = 0.0) -> list[Path]:
    """Files and folders that can go, sorted.

    What was written within the last `older_than_seconds` is left alone, since a running step may
    be about to refer to it; leftovers of killed writes go after LEFTOVER_SECONDS, and killed work
    that a run could take up again, its pictures and features included, goes UNFINISHED_DAYS after
    it was last written to.
    """
    keep = _needed(workspace)
    images = _images_in(keep)
    candidates = [
        *workspace.manifests.glob("*.parquet"),
        *(path for path in workspace.splits.glob("*") if path.name != "lineage"),
        *(path for path in workspace.models.glob("*") if path.name != publications.FOLDER),
        *workspace.evaluations.glob("*"),
        *workspace.features.glob("*/sets/*.json"),
    ]
    gone = [path for path in candidates if _is_finished(path) and path not in keep]
    gone += _unneeded_facts(workspace, images)
    gone = [path for path in gone if _age_seconds(path) >= older_than_seconds]
    gone += _unneeded_images(workspace, images, older_than_seconds)
    gone += _unneeded_features(workspace, set(gone), older_than_seconds)
    gone += _abandoned(workspace)
    return sorted([*gone, *_leftovers(workspace, set(gone))])


def _leftovers(workspace: Workspace, gone: set[Path]) -> Iterator[Path]:
    for path in workspace.root.rglob(f"{TEMPORARY_PREFIX}*"):
        if _age_seconds(path) > LEFTOVER_SECONDS and gone.isdisjoint([path, *path.parents]):
            yield path


def _abandoned(workspace: Workspace) -> Iterator[Path]:
    """Killed work, and logs of trainings, to which nothing was written for UNFINISHED_DAYS."""
    for path in [*workspace.unfinished.glob("*"), *workspace.tensorboard.glob("*")]:
        # Work goes on deep inside, which leaves the folder's own time as it was.
        youngest = min(map(_age_seconds, [path, *path.rglob("*")]))
        old_enough = youngest >= UNFINISHED_DAYS * DAY_SECONDS
        if path.is_dir() and _is_finished(path) and old_enough:
            yield path


def _age_seconds(path: Path) -> float:
    try:
        return time.time() - path.lstat().st_mtime
    except FileNotFoundError:
        return 0.0


def _is_finished(path: Path) -> bool:
    return not path.name.startswith(TEMPORARY_PREFIX)


def _is_own_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _needed(workspace: Workspace) -> set[Path]:
    """Places that a record of any run, or an experiment's memory, points to."""
    keep: set[Path] = set()
    for record in _kept_records(workspace):
        keep.add(workspace.root / record.result["where"])
        if "tree" in record.result:
            keep.add(workspace.root / record.result["tree"])
    keep.update(publications.needed(workspace))
    keep.update(_reported(workspace))
    for path in (workspace.splits / "lineage").glob("*.json"):
        line = folders.read_json(path)
        keep.update(
            workspace.root / line[name]["where"]
            for name in ("assignment", "previous")
            if line[name] is not None
        )
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


def _unneeded_images(
    workspace: Workspace, needed: set[str], older_than_seconds: float
) -> Iterator[Path]:
    """Images that can go; those in no table yet are a killed run's, which may fetch the rest."""
    store = ImageStore(workspace.images)
    finished: set[str] = set()
    for path in workspace.manifests.glob("*.parquet"):
        with contextlib.suppress(StorageDamaged):  # what it names is kept for longer
            finished |= _images_in([path])
    for name in store.names():
        age = older_than_seconds if name in finished else UNFINISHED_DAYS * DAY_SECONDS
        if name not in needed and _age_seconds(store.path(name)) >= age:
            yield store.path(name)


def _unneeded_facts(workspace: Workspace, images: set[str]) -> Iterator[Path]:
    """Shards of facts without any needed image."""
    for store in _shard_stores(workspace.facts):
        known = store.index()
        used = {shard for name, (shard, _) in known.items() if name in images}
        yield from (path for path in store.paths() if path not in used)


def _unneeded_features(
    workspace: Workspace, gone: set[Path], older_than_seconds: float
) -> Iterator[Path]:
    """Shards of features that no set lists which stays; those of no set at all are unfinished."""
    for store in _shard_stores(workspace.features):
        sets = [path for path in store.folder.glob("sets/*.json") if _is_finished(path)]
        lists = {path: _listed(store, path) for path in sets}
        finished = {path for listed in lists.values() for path, _ in listed}
        listed = set().union(*(found for path, found in lists.items() if path not in gone))
        for path in store.paths():
            shard = (path, path.stat().st_size)
            age = older_than_seconds if path in finished else UNFINISHED_DAYS * DAY_SECONDS
            if shard not in listed and _age_seconds(path) >= age:
                yield path


def _listed(store: ShardStore, path: Path) -> set[tuple[Path, int]]:
    """The shards in this list and their bytes; all there are where the list cannot be read."""
    try:
        shards = folders.read_json(path)["shards"]
        return {(store.folder / name, size) for name, size in shards.items()}
    except (StorageDamaged, KeyError, TypeError, AttributeError):
        return {(shard, shard.stat().st_size) for shard in store.paths()}


def of_experiment(workspace: Workspace, experiment: str) -> list[Path]:
    """What is this experiment's alone: its reports, records, publications and sticky splits.

    What they point to (models, features, pictures) is not among it, others may need it too.
    """
    name = as_file_name(experiment)
    link = publications.link(workspace, experiment)
    lines = (workspace.splits / "lineage").glob("*.json")
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
