"""Which stored files are not what they should be; each kind has its own way to tell.

Everything is read. What a run was given and is gone shows as well: by the newest record of each
step of an experiment, which says what the step gave.
"""

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from storage import (
    atomic,
    digests,
    fingerprints,
    folders,
    generations,
    manifests,
    publications,
    records,
)
from storage.atomic import TEMPORARY_PREFIX
from storage.errors import StorageDamaged
from storage.features import SPACE, FeatureSpace
from storage.images import ImageStore
from storage.ledger import Ledger
from storage.references import is_older, stored
from storage.shards import ShardStore
from storage.wholeness import is_whole, lacking
from storage.workspace import Workspace

LINEAGE = "lineage"
# They lie among results, and have rules of their own.
NOT_RESULTS = frozenset({publications.FOLDER, LINEAGE, folders.LATEST})


def none(_: Workspace) -> Iterable[Path]:
    """Of what says nothing of what it should hold."""
    return ()


def of_images(workspace: Workspace) -> Iterator[Path]:
    """Pictures whose bytes are not what their name says."""
    return ImageStore(workspace.images).damaged()


def of_manifests(workspace: Workspace) -> Iterator[Path]:
    """Tables whose rows are not what their name says."""
    return manifests.damaged(workspace.manifests)


def of_facts(workspace: Workspace) -> Iterator[Path]:
    """Shards whose bytes are not what their name says."""
    for store in shard_stores(workspace.facts):
        yield from store.damaged()


def of_features(workspace: Workspace) -> Iterator[Path]:
    """Shards, the description of their space, and lists of shards that name some not there."""
    for store in shard_stores(workspace.features):
        yield from store.damaged()
        there, space = present(store), store.folder / SPACE
        if not _describes(space, store.folder.name):
            yield space
        for path in filter(is_finished, sorted(store.folder.glob("sets/*"))):
            named = named_shards(store, path)
            if named is None or not named <= there:
                yield path


def of_trees(workspace: Workspace) -> Iterator[Path]:
    """Folder trees with a file that is neither a link to a stored picture nor its copy."""
    store = ImageStore(workspace.images)
    names = {Path(name).stem for name in store.names()}
    for tree in sorted(workspace.splits.glob("*")):
        mine = is_folder(tree) and is_finished(tree) and tree.name not in NOT_RESULTS
        if mine and not all(_belongs(path, tree, names) for path in tree.rglob("*")):
            yield tree


def of_lineages(workspace: Workspace) -> Iterator[Path]:
    """Lineages that cannot be read, and the assignments of others that are not whole."""
    for path in lines(workspace):
        if not generations.is_whole(workspace, path) or not is_line(path):
            yield path
            continue
        tables = [workspace.root / one for one in continued(folders.read_json(path))]
        yield from (one for one in tables if not manifests.is_whole(one))


def of_publications(workspace: Workspace) -> Iterator[Path]:
    """Logs that cannot be read, links that lead nowhere, and cards that are not the log's."""
    for path in logs(workspace):
        if not generations.is_whole(workspace, path) or not is_log(workspace, path):
            yield path
            continue
        name = publications.named(path)
        standing = publications.looked_up(workspace, name)
        link, card = path.with_name(name), path.with_name(name + publications.CARD)
        model = standing and (workspace.root / standing.model).resolve()
        if model and atomic.led_to(link) != model:
            yield link
        if standing is not None and _text(card) != standing.card:
            yield card


def of_format(workspace: Workspace) -> Iterator[Path]:
    """The marker of a workspace that has one, and it says nothing."""
    if (workspace.marker.exists() or workspace.marker.is_symlink()) and workspace.format is None:
        yield workspace.marker


def of_result_folders(pattern: str) -> Callable[[Workspace], Iterable[Path]]:
    """The damaged ones of the result folders at paths like this."""

    def damaged(workspace: Workspace) -> Iterator[Path]:
        for path in sorted(workspace.root.glob(pattern)):
            mine = path.name[0] != "." and path.name not in NOT_RESULTS and not path.is_symlink()
            if mine and not folders.is_intact(path):
                yield path

    return damaged


def of_indices(workspace: Workspace) -> Iterator[Path]:
    """The page over all runs, and links to the latest ones that lead nowhere."""
    runs = [one for one in workspace.reports.glob("*/*") if is_folder(one) and is_finished(one)]
    page = workspace.reports / folders.INDEX
    if runs and not (page.is_file() and digests.is_marked(page.read_bytes())):
        yield page
    for experiment in sorted({one.parent for one in runs}):
        link = experiment / folders.LATEST
        if (led_to := atomic.led_to(link)) == link or not led_to.is_dir():
            yield link


def of_records(workspace: Workspace) -> Iterator[Path]:
    """Records that cannot be read: runs pass over them, and no longer know why a step runs."""
    for path in sorted(workspace.records.glob("*/*/*.json")):
        if is_finished(path) and not records.is_readable(path):
            yield path


def of_results(workspace: Workspace) -> Iterator[Path]:
    """Results that cannot be read, and what the newest ones point to and is not there, whole."""
    for path in filter(is_finished, sorted(workspace.results.glob("*"))):
        if stored(path) is None and not is_older(path):
            yield path
    for record in records.newest(workspace):
        result = stored(workspace.results / record.key)
        if result is None and not is_older(workspace.results / record.key):
            yield workspace.results / record.key
        elif result is not None and not is_whole(workspace, result):
            yield from lacking(workspace, result)


def of_ledger(workspace: Workspace) -> Iterator[Path]:
    """The ledger, where SQLite finds it torn or a row says what no row may say."""
    if not workspace.ledger.exists():
        return
    with contextlib.suppress(sqlite3.Error, ValueError, TypeError):
        if Ledger.is_whole(workspace.ledger):
            return
    yield workspace.ledger


def of_fingerprints(workspace: Workspace) -> Iterator[Path]:
    """The memo of digests, where SQLite finds it torn."""
    if workspace.fingerprints.exists():
        with contextlib.suppress(sqlite3.Error):
            if fingerprints.is_whole(workspace.fingerprints):
                return
        yield workspace.fingerprints


def of_generations(workspace: Workspace) -> Iterator[Path]:
    """Copies whose bytes are not what their name says."""
    yield from generations.damaged(workspace)


def shard_stores(folder: Path) -> list[ShardStore]:
    """The stores in the folders of this one."""
    return [ShardStore(path) for path in sorted(folder.glob("*")) if path.is_dir()]


def lines(workspace: Workspace) -> list[Path]:
    """The files of all lineages, those too that are gone and have copies."""
    return _with_copies(workspace, workspace.splits / LINEAGE, "*.json")


def logs(workspace: Workspace) -> list[Path]:
    """The logs of all publications, those too that are gone and have copies."""
    return _with_copies(workspace, workspace.models / publications.FOLDER, "*.json")


def is_line(path: Path) -> bool:
    """Whether the file is a lineage that can be read."""
    try:
        return bool(continued(json.loads(path.read_bytes())))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def is_log(workspace: Workspace, path: Path) -> bool:
    """Whether the file is a log of publications that can be read."""
    try:
        return bool(publications.history(workspace, publications.named(path)))
    except (StorageDamaged, OSError):
        return False


def continued(line: dict[str, Any]) -> list[str]:
    """Where the assignments lie that a lineage names."""
    both = (line["assignment"], line["previous"])
    return [str(one["where"]) for one in both if one is not None]


def irreplaceable(workspace: Workspace) -> Iterator[Path]:
    """What no run makes again: logs, lineages, and, once those are whole, the tables they name."""
    yield from logs(workspace)
    for path in lines(workspace):
        yield path
        if path.is_file() and can_be_read(workspace, path):
            yield from (workspace.root / one for one in continued(json.loads(path.read_bytes())))


def can_be_read(workspace: Workspace, path: Path) -> bool:
    """Whether one of these holds what such a file does."""
    if path.suffix == ".parquet":
        return manifests.is_whole(path)
    if path in logs(workspace):
        return is_log(workspace, path)
    return is_line(path)


def named_shards(store: ShardStore, path: Path) -> set[tuple[Path, int]] | None:
    """The shards in this list and their bytes, None where the list cannot be read."""
    try:
        shards = folders.read_json(path)["shards"]
        return {(store.folder / name, size) for name, size in shards.items()}
    except (StorageDamaged, KeyError, TypeError, AttributeError):
        return None


def present(store: ShardStore) -> set[tuple[Path, int]]:
    """The shards that are there, and their bytes."""
    return {(shard, shard.stat().st_size) for shard in store.paths()}


def is_finished(path: Path) -> bool:
    """Whether this is no half-written file."""
    return is_finished_name(path.name)


def is_finished_name(name: str) -> bool:
    """The same by its name."""
    return not name.startswith(TEMPORARY_PREFIX)


def is_folder(path: Path) -> bool:
    """Whether this is a folder itself, and no link to one."""
    return path.is_dir() and not path.is_symlink()


def _with_copies(workspace: Workspace, folder: Path, pattern: str) -> list[Path]:
    kept = generations.folder(workspace, folder)
    names = {path.name for path in [*folder.glob(pattern), *kept.glob(pattern)]}
    return sorted(folder / name for name in names if name[0] != ".")


def _belongs(path: Path, tree: Path, names: set[str]) -> bool:
    """Whether something in a tree is a picture, or a folder that holds some."""
    if is_folder(path):
        # <split>/<class>/: only of these there may be empty ones.
        return len(path.relative_to(tree).parts) < 3 or any(path.iterdir())
    return path.is_file() and digests.of_file(path) in names


def _describes(path: Path, name: str) -> bool:
    try:
        return FeatureSpace.model_validate(folders.read_json(path)).name == name
    except (StorageDamaged, ValueError):
        return False


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
