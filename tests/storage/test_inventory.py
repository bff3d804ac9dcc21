"""What is stored: sizes, damage, and what nothing needs any more."""

import os
import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from storage import atomic, folders, inventory, manifests, records, references, trees
from storage.errors import StorageDamaged
from storage.features import FeatureStore
from storage.folders import RUN
from storage.records import Record
from storage.references import SplitRef
from storage.shards import ShardStore
from storage.statuses import Status
from storage.wholeness import leaves_of
from storage.workspace import Workspace
from tests.pictures import picture
from tests.storage.test_features import space


@dataclass
class Experiment:
    """Everything that a finished run of one experiment stored."""

    name: str
    images: list
    manifest: object
    tree: object
    features: object
    shard: object
    model: object
    evaluation: object
    report: object


def note(workspace, experiment, step, **result):
    records.add(
        workspace,
        Record(
            experiment=experiment, step=step, key=f"{step}-12345678", parts={}, state="executed",
            why="first run", seconds=1.0, when=records.now(), result=result,
        ),
    )  # fmt: skip


def sealed(folder, name, data):
    folder.mkdir(parents=True)
    (folder / name).write_bytes(data)
    folders.seal(folder)
    return folder


@pytest.fixture
def finished(workspace, images):
    """Store the results of a run and its records; `first` picks its pictures."""

    def run(name, first):
        stored = [images.add(picture(seed)) for seed in range(first, first + 3)]
        table = pd.DataFrame(
            {
                "image": stored,
                "label": ["cat", "dog", "dog"],
                "name": ["1.jpg", "2.jpg", "3.jpg"],
                "split": ["train", "validation", "test"],
                "status": [Status.KEPT] * 3,
            }
        )
        digest, manifest = manifests.save(workspace.manifests, table)
        tree = workspace.splits / digest
        trees.grow(tree, leaves_of(workspace, table), references.SPLITS)
        split = SplitRef(
            digest=digest, where=workspace.relative(manifest), tree=workspace.relative(tree),
            classes=("cat", "dog"), train=1, validation=1, test=1, left_out=0,
        )  # fmt: skip
        store = FeatureStore(workspace, space(shape=(2,)))
        missing = store.missing(stored)
        shard = store.add(missing, np.array([[1.0, 2.0]] * len(missing)))
        features = store.reference(stored)
        model = sealed(workspace.models / f"{name}-model", "model.keras", b"model")
        evaluation = sealed(workspace.evaluations / f"{name}-evaluation", "metrics.json", b"{}")
        report = sealed(workspace.reports / name / "run", "report.html", b"<html>")
        note(workspace, name, "split", **split.model_dump(mode="json"))
        note(workspace, name, "extract", **features.model_dump(mode="json"))
        for step, folder in (("train", model), ("evaluate", evaluation), ("publish", report)):
            note(workspace, name, step, where=workspace.relative(folder))
        return Experiment(
            name, [images.path(one) for one in stored], manifest, tree,
            workspace.path(features), shard, model, evaluation, report,
        )  # fmt: skip

    return run


@pytest.fixture
def small(finished):
    return finished("small", first=0)


def flip(path, place=-1):
    """Change one byte and nothing else."""
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)


def test_a_whole_workspace_has_no_damage_and_nothing_to_remove(workspace, small):
    assert inventory.damaged(workspace) == []
    assert inventory.unneeded(workspace) == []
    inventory.require_none([])


def test_an_empty_workspace_has_no_damage_and_nothing_to_remove(workspace):
    assert inventory.damaged(workspace) == []
    assert inventory.unneeded(workspace) == []
    assert {size.files for size in inventory.sizes(workspace)} == {0}


def test_a_flipped_byte_in_a_picture_is_found(workspace, small):
    flip(small.images[1], 100)
    assert inventory.damaged(workspace) == [small.images[1]]


def test_a_flipped_byte_in_a_shard_is_found(workspace, small):
    flip(small.shard, small.shard.stat().st_size // 2)
    assert inventory.damaged(workspace) == [small.shard]


def test_a_flipped_byte_in_a_manifest_is_found(workspace, small):
    path = small.manifest
    flip(path, path.read_bytes().index(b"cat"))
    assert inventory.damaged(workspace) == [path]


def test_a_truncated_manifest_is_found(workspace, small):
    small.manifest.write_bytes(small.manifest.read_bytes()[:-30])
    assert inventory.damaged(workspace) == [small.manifest]


def test_a_missing_file_of_a_model_is_found(workspace, small):
    (small.model / "model.keras").unlink()
    assert inventory.damaged(workspace) == [small.model]


def test_a_flipped_byte_in_a_model_an_evaluation_or_a_report_is_found(workspace, small):
    flip(small.model / "model.keras")
    flip(small.evaluation / "metrics.json")
    flip(small.report / "report.html")
    assert inventory.damaged(workspace) == sorted([small.model, small.evaluation, small.report])


def test_damage_is_an_error_that_counts_it(workspace, small):
    flip(small.images[0], 50)
    flip(small.images[1], 50)
    with pytest.raises(StorageDamaged, match="2 stored files are damaged: delete them and run"):
        inventory.require_none(inventory.damaged(workspace))


def test_unfinished_writes_are_neither_damaged_nor_removed(workspace, small):
    for folder in (workspace.manifests, small.images[0].parent, small.shard.parent):
        (folder / f"{atomic.TEMPORARY_PREFIX}abc.parquet").write_bytes(b"half")
    (workspace.models / f"{atomic.TEMPORARY_PREFIX}abc").mkdir()
    assert inventory.damaged(workspace) == []
    assert inventory.unneeded(workspace) == []


def test_what_no_record_reaches_can_go(workspace, images, small):
    image = images.add(picture(99))
    table = pd.DataFrame({"image": [image], "status": [Status.KEPT]})
    extra = [
        images.path(image),
        manifests.save(workspace.manifests, table)[1],
        sealed(workspace.models / "old", "model.keras", b"m"),
        sealed(workspace.evaluations / "old", "metrics.json", b"{}"),
    ]
    (workspace.splits / "old").mkdir()
    assert inventory.unneeded(workspace) == sorted([*extra, workspace.splits / "old"])


@pytest.mark.parametrize(("days", "kept"), [(1, True), (8, False)])
def test_what_a_killed_run_fetched_and_extracted_is_kept_for_a_week(
    workspace, images, small, days, kept
):
    store = FeatureStore(workspace, space(shape=(2,)))
    shard = store.add(["unknown.jpg"], np.array([[1.0, 2.0]]))
    unfinished = [images.path(images.add(picture(99))), shard]
    then = time.time() - days * inventory.DAY_SECONDS
    for path in unfinished:
        os.utime(path, (then, then))
    assert inventory.unneeded(workspace) == ([] if kept else sorted(unfinished))


def test_what_two_experiments_share_stays_when_one_is_forgotten(workspace, finished, small):
    other = finished("other", first=2)
    assert small.images[2] == other.images[0]
    inventory.remove([workspace.records / "other"])
    gone = inventory.unneeded(workspace)
    assert set(gone) == {
        *other.images[1:], other.manifest, other.tree, other.features, other.shard,
        other.model, other.evaluation,
    }  # fmt: skip


def test_removing_what_is_unneeded_damages_nothing_needed(workspace, finished, small):
    finished("other", first=2)
    inventory.remove([workspace.records / "other"])
    inventory.remove(inventory.unneeded(workspace))
    assert inventory.unneeded(workspace) == []
    assert inventory.damaged(workspace) == []
    assert all(path.exists() for path in [*small.images, small.manifest, small.shard, small.model])


def test_older_results_stay_as_long_as_there_is_a_report(workspace, small):
    newer = sealed(workspace.models / "newer", "model.keras", b"newer")
    note(workspace, "small", "train", where=workspace.relative(newer))
    assert inventory.unneeded(workspace) == []


def test_without_a_report_only_the_newest_result_of_a_step_stays(workspace, small):
    newer = sealed(workspace.models / "newer", "model.keras", b"newer")
    note(workspace, "small", "train", where=workspace.relative(newer))
    inventory.remove([small.report])
    assert inventory.unneeded(workspace) == [small.model]


def test_any_report_keeps_the_results_of_its_experiment(workspace, small):
    newer = sealed(workspace.models / "newer", "model.keras", b"newer")
    note(workspace, "small", "train", where=workspace.relative(newer))
    note(workspace, "small", "publish", where="reports/small/deleted")
    assert inventory.unneeded(workspace) == []


@pytest.mark.parametrize("name", [RUN])
def test_a_report_keeps_its_model_and_evaluation_without_any_record(workspace, small, name):
    atomic.write_json(
        small.report / name,
        {"model": workspace.relative(small.model), "evaluation": "evaluations/small-evaluation"},
    )
    inventory.remove([workspace.records])
    gone = inventory.unneeded(workspace)
    assert small.manifest in gone
    assert not {small.model, small.evaluation} & set(gone)
    inventory.remove([small.report])
    assert {small.model, small.evaluation} <= set(inventory.unneeded(workspace))


@pytest.mark.parametrize("text", ["", "[]", "3", "{}", '{"model": null}', '{"model": ["a"]}'])
def test_a_run_that_names_nothing_keeps_nothing(workspace, small, text):
    (small.report / RUN).write_text(text)
    inventory.remove([workspace.records])
    assert small.model in inventory.unneeded(workspace)


def other_space(workspace, names):
    """A feature space of its own with these images: its shard and its set."""
    store = FeatureStore(workspace, space(shape=(3,)))
    shard = store.add(names, np.array([[1.0, 2.0, 3.0]] * len(names)))
    return shard, workspace.root / store.reference(names).where


def test_features_of_an_abandoned_space_go_with_its_sets(workspace, small):
    shard, listing = other_space(workspace, [path.name for path in small.images])
    assert inventory.unneeded(workspace) == sorted([shard, listing])


def test_old_features_stay_for_a_young_set_that_no_record_knows_yet(workspace, small):
    shard, listing = other_space(workspace, [path.name for path in small.images])
    os.utime(shard, (0, 0))
    assert inventory.unneeded(workspace, older_than_seconds=3600) == []
    os.utime(listing, (0, 0))
    assert inventory.unneeded(workspace, older_than_seconds=3600) == sorted([shard, listing])


def test_facts_stay_as_long_as_their_images(workspace, small):
    store = ShardStore(workspace.facts / "size")
    kept, gone = (
        store.add(pa.table({"image": [name]})) for name in (small.images[0].name, "unknown.jpg")
    )
    assert kept != gone
    assert inventory.unneeded(workspace) == [gone]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"shards": 3}'])
def test_a_set_that_cannot_be_read_keeps_every_shard_of_its_space(workspace, small, text):
    small.features.write_text(text)
    assert inventory.unneeded(workspace) == []


def test_killed_work_stays_for_a_week_after_it_was_last_written_to(workspace):
    state = workspace.unfinished / "train-1" / "0"
    half = workspace.unfinished / "abc.half"
    state.mkdir(parents=True)
    for path in (state / "history.json", half):
        path.write_text("{}")
    for path in (state.parent, state, half):
        os.utime(path, (0, 0))
    a_week_ago = time.time() - 7 * 24 * 3600
    for age, gone in ((a_week_ago + 3600, []), (a_week_ago - 3600, [state.parent])):
        os.utime(state / "history.json", (age, age))
        assert inventory.unneeded(workspace, older_than_seconds=3600) == gone
        assert inventory.unneeded(workspace) == gone
    assert list(inventory.by_kind(workspace, [state.parent])) == ["unfinished"]


def test_leftovers_inside_of_what_goes_are_named_once(workspace):
    partial = workspace.unfinished / "train-1" / f"{atomic.TEMPORARY_PREFIX}abc"
    partial.mkdir(parents=True)
    for path in (partial, partial.parent):
        os.utime(path, (0, 0))
    assert inventory.unneeded(workspace) == [partial.parent]


def test_the_memory_of_a_sticky_split_stays(workspace, small):
    table = pd.DataFrame({"image": ["a.jpg"], "split": ["train"]})
    digest, path = manifests.save(workspace.manifests, table)
    where = {"digest": digest, "where": workspace.relative(path)}
    atomic.write_json(workspace.lineage("small", 1), {"assignment": where, "previous": None})
    assert inventory.unneeded(workspace) == []


def test_a_truncated_shard_can_go(workspace, small):
    small.shard.write_bytes(small.shard.read_bytes()[:-10])
    assert inventory.unneeded(workspace) == [small.shard]


def test_published_models_and_reports_are_never_removed(workspace, small):
    (workspace.models / "published").mkdir()
    sealed(workspace.reports / "forgotten" / "run", "report.html", b"<html>")
    assert inventory.unneeded(workspace) == []


def test_hard_links_count_once(workspace, small):
    sizes = {size.name: size for size in inventory.sizes(workspace)}
    assert sizes["images"].bytes == sum(path.stat().st_size for path in small.images)
    assert sizes["splits"] == ("splits", 3, 0)


def test_what_goes_is_shown_by_kind_and_size(workspace, images):
    names = [images.add(picture(seed)) for seed in range(2)]
    table = pd.DataFrame({"image": names, "status": [Status.KEPT] * 2})
    _, manifest = manifests.save(workspace.manifests, table)
    stored = [images.path(name) for name in names]
    model = sealed(workspace.models / "old", "model.keras", b"m" * 100)
    groups = inventory.by_kind(workspace, inventory.unneeded(workspace))
    assert groups == {"images": sorted(stored), "manifests": [manifest], "models": [model]}
    assert inventory.total([model]) == 100 + (model / folders.CONTENTS).stat().st_size


def test_what_is_gone_already_keeps_nothing_else_from_being_removed(workspace):
    last = sealed(workspace.models / "old", "model.keras", b"m")
    missing = [workspace.models / "none", workspace.manifests / "none.parquet"]
    inventory.remove([*missing, last])
    assert list(workspace.models.iterdir()) == []


def test_every_folder_of_the_workspace_is_looked_after(workspace):
    places = [getattr(workspace, name) for name, one in vars(Workspace).items()
              if isinstance(one, property)]  # fmt: skip
    folders_there = {path.name for path in places if not path.suffix}
    assert folders_there - {"locks"} == set(inventory.KINDS)


@pytest.fixture
def line(workspace):
    """The file of a sticky split's lineage, and the table of its assignment."""
    table = pd.DataFrame({"image": ["a.jpg", "b.jpg"], "split": ["train", "test"]})
    digest, manifest = manifests.save(workspace.manifests, table)
    path = workspace.splits / "lineage" / "small-7.json"
    assignment = {"digest": digest, "where": workspace.relative(manifest), "bytes": 1, "images": 2}
    atomic.write_json(path, {"made_for": "a", "assignment": assignment, "previous": None})
    return path, manifest


def test_a_whole_lineage_has_no_damage(workspace, small, line):
    assert inventory.damaged(workspace) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"assignment": null}', b"\xff"])
def test_a_damaged_lineage_is_found_and_said_to_be_made_by_no_run(workspace, line, content):
    path, _ = line
    path.write_bytes(content)
    assert inventory.damaged(workspace) == [path]
    with pytest.raises(StorageDamaged, match="no run can make again: restore"):
        inventory.require_none([path])


def test_a_lineage_whose_assignment_is_damaged_is_found(workspace, line):
    path, manifest = line
    manifest.write_bytes(manifest.read_bytes()[:-20])
    assert inventory.damaged(workspace) == [manifest, path]


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b'{"shards": 3}', b'{"images": 3, "shards": {"x.arrow": 3}}']
)
def test_a_damaged_list_of_shards_is_found(workspace, small, content):
    (path,) = small.shard.parent.glob("sets/*.json")
    path.write_bytes(content)
    assert inventory.damaged(workspace) == [path]


@pytest.mark.parametrize("content", [b"", b"{", b'{"experiment": "small"}'])
def test_a_damaged_record_is_found(workspace, small, content):
    path = min(workspace.records.glob("*/*/*.json"))
    path.write_bytes(content)
    assert inventory.damaged(workspace) == [path]
