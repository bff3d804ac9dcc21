"""What the workspace holds: sizes, damage, and what nothing needs any more.

Needed is what can be reached: every report of an experiment keeps its evaluation, model, features,
split and images; the newest record of each step keeps its result. The rest is unneeded.
"""

import shutil
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from storage import digests, folders, manifests, published, records
from storage.atomic import TEMPORARY_PREFIX
from storage.errors import StorageDamaged
from storage.images import ImageStore
from storage.shards import ShardStore
from storage.workspace import Workspace

KINDS = (
    "images", "manifests", "facts", "splits", "features", "models", "evaluations", "reports",
    "records", "results", "downloads", "unfinished",
)  # fmt: skip
LEFTOVER_SECONDS = 24 * 3600.0
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


def _shard_stores(workspace: Workspace) -> Iterator[ShardStore]:
    for folder in (workspace.facts, workspace.features):
        yield from (ShardStore(path) for path in sorted(folder.glob("*")) if path.is_dir())


def _damaged_shards(workspace: Workspace) -> Iterator[Path]:
    for store in _shard_stores(workspace):
        yield from (path for path in store.paths() if not store.verified(path))


def _damaged_manifests(workspace: Workspace) -> Iterator[Path]:
    for path in sorted(workspace.manifests.glob("*.parquet")):
        if path.name.startswith(TEMPORARY_PREFIX):
            continue
        try:
            whole = manifests.content_digest(manifests.load(path)) == path.stem
        except StorageDamaged:
            whole = False
        if not whole:
            yield path


def _damaged_folders(workspace: Workspace) -> Iterator[Path]:
    for path in _result_folders(workspace):
        if not folders.is_sealed(path):
            yield path


def _result_folders(workspace: Workspace) -> Iterator[Path]:
    for pattern in ("models/*", "evaluations/*", "reports/*/*"):
        for path in sorted(workspace.root.glob(pattern)):
            special = path.is_symlink() or path.name[0] == "." or path.name == published.FOLDER
            if path.is_dir() and not special:
                yield path


def unneeded(workspace: Workspace, *, older_than_seconds: float = 0.0) -> list[Path]:
    """Files and folders that can go, sorted.

    What was written within the last `older_than_seconds` is left alone, since a running step may
    be about to refer to it; leftovers of killed writes go after LEFTOVER_SECONDS.
    """
    keep = _needed(workspace)
    images = _needed_images(keep)
    candidates = [
        *workspace.manifests.glob("*.parquet"),
        *(path for path in workspace.splits.glob("*") if path.name != "lineage"),
        *(path for path in workspace.models.glob("*") if path.name != published.FOLDER),
        *workspace.evaluations.glob("*"),
        *workspace.features.glob("*/sets/*.json"),
    ]
    gone = [path for path in candidates if _is_finished(path) and path not in keep]
    store = ImageStore(workspace.images)
    gone += [store.path(name) for name in store.names() if name not in images]
    gone += _unneeded_shards(workspace, images)
    gone = [path for path in gone if _age_seconds(path) >= older_than_seconds]
    leftovers = workspace.root.rglob(f"{TEMPORARY_PREFIX}*")
    return sorted([*gone, *(path for path in leftovers if _age_seconds(path) > LEFTOVER_SECONDS)])


def _age_seconds(path: Path) -> float:
    try:
        return time.time() - path.lstat().st_mtime
    except FileNotFoundError:
        return 0.0


def _is_finished(path: Path) -> bool:
    return not path.name.startswith(TEMPORARY_PREFIX)


def _is_own_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _needed(workspace: Workspace) -> set[Path]:
    """Places that a record of any run, or an experiment's memory, points to."""
    keep: set[Path] = set()
    for record in _kept_records(workspace):
        keep.add(workspace.root / record.result["where"])
        if "tree" in record.result:
            keep.add(workspace.root / record.result["tree"])
    keep.update(published.needed(workspace))
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
    for (_, step), found in by_step.items():
        if step == "publish":
            yield from (one for one in found if (workspace.root / one.result["where"]).exists())
        else:
            yield from found if _has_reports(workspace, found[0].experiment) else found[-1:]


def _has_reports(workspace: Workspace, experiment: str) -> bool:
    newest = records.latest(workspace, experiment, "publish")
    return newest is not None and (workspace.root / newest.result["where"]).exists()


def _needed_images(keep: Iterable[Path]) -> set[str]:
    names: set[str] = set()
    for path in keep:
        if path.suffix == ".parquet" and manifests.is_parquet(path):
            table = manifests.load(path)
            if IMAGE_TABLE.issubset(table.columns):
                names.update(table["image"])
    return names


def _unneeded_shards(workspace: Workspace, images: set[str]) -> Iterator[Path]:
    for store in _shard_stores(workspace):
        known = store.index()
        used = {shard for name, (shard, _) in known.items() if name in images}
        yield from (path for path in store.paths() if path not in used)


def by_kind(workspace: Workspace, paths: list[Path]) -> dict[str, list[Path]]:
    """`paths` by the kind of thing they are, in the order of KINDS."""
    groups: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        groups[path.relative_to(workspace.root).parts[0]].append(path)
    return {kind: groups[kind] for kind in KINDS if kind in groups}


def total(paths: list[Path]) -> int:
    """Bytes of these files and of the files in these folders."""
    files = [file for path in paths for file in (path.rglob("*") if path.is_dir() else [path])]
    return sum(file.stat().st_size for file in files if _is_own_file(file))


def remove(paths: list[Path]) -> None:
    """Delete these files and folders; what is gone already is no error."""
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
