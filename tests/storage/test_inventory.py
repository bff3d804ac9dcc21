"""What is stored: sizes, damage, and what nothing needs any more."""

import json
import os
import shutil
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from storage import (
    atomic,
    digests,
    folders,
    generations,
    manifests,
    publications,
    records,
    references,
    trees,
)  # fmt: skip
from storage.errors import SourceDamaged, StorageDamaged
from storage.features import FeatureStore
from storage.folders import RUN
from storage.inventory import backup, looking, needs
from storage.inventory.kinds import KINDS
from storage.inventory.repair import mend
from storage.ledger import Download, Ledger
from storage.publications import Publication
from storage.records import Record
from storage.references import CollectionRef, EvaluationRef, ModelRef, ReportRef, SplitRef
from storage.shards import ShardStore
from storage.statuses import DownloadStatus, Status
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


def note(workspace, experiment, step, reference=None, **result):
    key = f"{step}-{experiment}"
    if reference is not None:
        result = reference.model_dump(mode="json")
        about = {
            "serializer": {"type": references.SERIALIZER}, "expiration": None, "storage_key": key
        }  # fmt: skip
        text = json.dumps(references.as_stored(reference))
        atomic.write_json(workspace.results / key, {"metadata": about, "result": text})
    records.add(
        workspace,
        Record(
            experiment=experiment, step=step, key=key, parts={}, state="executed",
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
            digest=digest, where=workspace.relative(manifest), bytes=manifest.stat().st_size,
            tree=workspace.relative(tree),
            classes=("cat", "dog"), train=1, validation=1, test=1, left_out=0,
        )  # fmt: skip
        store = FeatureStore(workspace, space(shape=(2,)))
        missing = store.missing(stored)
        shard = store.add(missing, np.array([[1.0, 2.0]] * len(missing)))
        features = store.reference(stored)
        model = sealed(workspace.models / f"{name}-model", "model.keras", b"model")
        evaluation = sealed(workspace.evaluations / f"{name}-evaluation", "metrics.json", b"{}")
        report = sealed(workspace.reports / name / "run", "report.html", b"<html>")
        note(workspace, name, "split", split)
        note(workspace, name, "extract", features)
        for step, folder, kind, more in (
            ("train", model, ModelRef, {"classes": ("cat", "dog"), "repeats": 1}),
            ("evaluate", evaluation, EvaluationRef, {"images": 3}),
            ("publish", report, ReportRef, {"experiment": name, "run": "run"}),
        ):
            where = workspace.relative(folder)
            note(workspace, name, step, kind(digest=step, where=where, **more))
        atomic.point(report.with_name(folders.LATEST), report)
        page = digests.marked(b"<html>", "runs")
        atomic.write_bytes(workspace.reports / folders.INDEX, page)
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
    assert looking.damaged(workspace) == []
    assert looking.unneeded(workspace) == []


def test_an_empty_workspace_has_no_damage_and_nothing_to_remove(workspace):
    assert looking.damaged(workspace) == []
    assert looking.unneeded(workspace) == []
    assert {size.files for size in looking.sizes(workspace)} == {0}


def test_a_flipped_byte_in_a_picture_is_found(workspace, small):
    flip(small.images[1], 100)
    # The folder tree has a hard link to it.
    assert looking.damaged(workspace) == sorted([small.images[1], small.tree])


def test_a_flipped_byte_in_a_shard_is_found(workspace, small):
    flip(small.shard, small.shard.stat().st_size // 2)
    assert looking.damaged(workspace) == [small.shard]


def test_a_flipped_byte_in_a_manifest_is_found(workspace, small):
    path = small.manifest
    flip(path, path.read_bytes().index(b"cat"))
    assert looking.damaged(workspace) == [path]


def test_a_truncated_manifest_is_found(workspace, small):
    small.manifest.write_bytes(small.manifest.read_bytes()[:-30])
    assert looking.damaged(workspace) == [small.manifest]


def test_a_missing_file_of_a_model_is_found(workspace, small):
    (small.model / "model.keras").unlink()
    assert looking.damaged(workspace) == [small.model]


def test_a_flipped_byte_in_a_model_an_evaluation_or_a_report_is_found(workspace, small):
    flip(small.model / "model.keras")
    flip(small.evaluation / "metrics.json")
    flip(small.report / "report.html")
    assert looking.damaged(workspace) == sorted([small.model, small.evaluation, small.report])


def test_unfinished_writes_are_neither_damaged_nor_removed(workspace, small):
    for folder in (workspace.manifests, small.images[0].parent, small.shard.parent):
        (folder / f"{atomic.TEMPORARY_PREFIX}abc.parquet").write_bytes(b"half")
    (workspace.models / f"{atomic.TEMPORARY_PREFIX}abc").mkdir()
    assert looking.damaged(workspace) == []
    assert looking.unneeded(workspace) == []


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
    assert looking.unneeded(workspace) == sorted([*extra, workspace.splits / "old"])


@pytest.mark.parametrize(("days", "kept"), [(1, True), (8, False)])
def test_what_a_killed_run_fetched_and_extracted_is_kept_for_a_week(
    workspace, images, small, days, kept
):
    store = FeatureStore(workspace, space(shape=(2,)))
    shard = store.add(["unknown.jpg"], np.array([[1.0, 2.0]]))
    unfinished = [images.path(images.add(picture(99))), shard]
    then = time.time() - days * needs.DAY_SECONDS
    for path in unfinished:
        os.utime(path, (then, then))
    assert looking.unneeded(workspace) == ([] if kept else sorted(unfinished))


def test_what_two_experiments_share_stays_when_one_is_forgotten(workspace, finished, small):
    other = finished("other", first=2)
    assert small.images[2] == other.images[0]
    looking.remove([workspace.records / "other"])
    gone = looking.unneeded(workspace)
    assert set(gone) == {
        *other.images[1:], other.manifest, other.tree, other.features, other.shard,
        other.model, other.evaluation,
    }  # fmt: skip


def test_removing_what_is_unneeded_damages_nothing_needed(workspace, finished, small):
    finished("other", first=2)
    looking.remove([workspace.records / "other"])
    looking.remove(looking.unneeded(workspace))
    assert looking.unneeded(workspace) == []
    assert looking.damaged(workspace) == []
    assert all(path.exists() for path in [*small.images, small.manifest, small.shard, small.model])


def test_older_results_stay_as_long_as_there_is_a_report(workspace, small):
    newer = sealed(workspace.models / "newer", "model.keras", b"newer")
    note(workspace, "small", "train", where=workspace.relative(newer))
    assert looking.unneeded(workspace) == []


def test_without_a_report_only_the_newest_result_of_a_step_stays(workspace, small):
    newer = sealed(workspace.models / "newer", "model.keras", b"newer")
    note(workspace, "small", "train", where=workspace.relative(newer))
    looking.remove([small.report])
    assert looking.unneeded(workspace) == [small.model]


def test_any_report_keeps_the_results_of_its_experiment(workspace, small):
    newer = sealed(workspace.models / "newer", "model.keras", b"newer")
    note(workspace, "small", "train", where=workspace.relative(newer))
    note(workspace, "small", "publish", where="reports/small/deleted")
    assert looking.unneeded(workspace) == []


@pytest.mark.parametrize("name", [RUN])
def test_a_report_keeps_its_model_and_evaluation_without_any_record(workspace, small, name):
    atomic.write_json(
        small.report / name,
        {"model": workspace.relative(small.model), "evaluation": "evaluations/small-evaluation"},
    )
    looking.remove([workspace.records])
    gone = looking.unneeded(workspace)
    assert small.manifest in gone
    assert not {small.model, small.evaluation} & set(gone)
    looking.remove([small.report])
    assert {small.model, small.evaluation} <= set(looking.unneeded(workspace))


@pytest.mark.parametrize("text", ["", "[]", "3", "{}", '{"model": null}', '{"model": ["a"]}'])
def test_a_run_that_names_nothing_keeps_nothing(workspace, small, text):
    (small.report / RUN).write_text(text)
    looking.remove([workspace.records])
    assert small.model in looking.unneeded(workspace)


def other_space(workspace, names):
    """A feature space of its own with these images: its shard and its set."""
    store = FeatureStore(workspace, space(shape=(3,)))
    shard = store.add(names, np.array([[1.0, 2.0, 3.0]] * len(names)))
    return shard, workspace.root / store.reference(names).where


def test_features_of_an_abandoned_space_go_with_its_sets(workspace, small):
    shard, listing = other_space(workspace, [path.name for path in small.images])
    assert looking.unneeded(workspace) == sorted([shard, listing])


def test_old_features_stay_for_a_young_set_that_no_record_knows_yet(workspace, small):
    shard, listing = other_space(workspace, [path.name for path in small.images])
    os.utime(shard, (0, 0))
    assert looking.unneeded(workspace, older_than_seconds=3600) == []
    os.utime(listing, (0, 0))
    assert looking.unneeded(workspace, older_than_seconds=3600) == sorted([shard, listing])


def test_facts_stay_as_long_as_their_images(workspace, small):
    store = ShardStore(workspace.facts / "size")
    kept, gone = (
        store.add(pa.table({"image": [name]})) for name in (small.images[0].name, "unknown.jpg")
    )
    assert kept != gone
    assert looking.unneeded(workspace) == [gone]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"shards": 3}'])
def test_a_set_that_cannot_be_read_keeps_every_shard_of_its_space(workspace, small, text):
    small.features.write_text(text)
    assert looking.unneeded(workspace) == []


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
        assert looking.unneeded(workspace, older_than_seconds=3600) == gone
        assert looking.unneeded(workspace) == gone
    assert list(looking.by_kind(workspace, [state.parent])) == ["unfinished"]


def test_leftovers_inside_of_what_goes_are_named_once(workspace):
    partial = workspace.unfinished / "train-1" / f"{atomic.TEMPORARY_PREFIX}abc"
    partial.mkdir(parents=True)
    for path in (partial, partial.parent):
        os.utime(path, (0, 0))
    assert looking.unneeded(workspace) == [partial.parent]


def test_the_memory_of_a_sticky_split_stays(workspace, small):
    table = pd.DataFrame({"image": ["a.jpg"], "split": ["train"]})
    digest, path = manifests.save(workspace.manifests, table)
    where = {"digest": digest, "where": workspace.relative(path)}
    atomic.write_json(workspace.lineage("small", 1), {"assignment": where, "previous": None})
    assert looking.unneeded(workspace) == []


def test_a_truncated_shard_can_go(workspace, small):
    small.shard.write_bytes(small.shard.read_bytes()[:-10])
    assert looking.unneeded(workspace) == [small.shard]


def test_published_models_and_reports_are_never_removed(workspace, small):
    (workspace.models / "published").mkdir()
    sealed(workspace.reports / "forgotten" / "run", "report.html", b"<html>")
    assert looking.unneeded(workspace) == []


def test_hard_links_count_once(workspace, small):
    sizes = {size.name: size for size in looking.sizes(workspace)}
    assert sizes["images"].bytes == sum(path.stat().st_size for path in small.images)
    assert sizes["splits"] == ("splits", 3, 0)


def test_what_goes_is_shown_by_kind_and_size(workspace, images):
    names = [images.add(picture(seed)) for seed in range(2)]
    table = pd.DataFrame({"image": names, "status": [Status.KEPT] * 2})
    _, manifest = manifests.save(workspace.manifests, table)
    stored = [images.path(name) for name in names]
    model = sealed(workspace.models / "old", "model.keras", b"m" * 100)
    groups = looking.by_kind(workspace, looking.unneeded(workspace))
    assert groups == {"images": sorted(stored), "manifests": [manifest], "models": [model]}
    assert looking.total([model]) == 100 + (model / folders.CONTENTS).stat().st_size


def test_what_is_gone_already_keeps_nothing_else_from_being_removed(workspace):
    last = sealed(workspace.models / "old", "model.keras", b"m")
    missing = [workspace.models / "none", workspace.manifests / "none.parquet"]
    looking.remove([*missing, last])
    assert list(workspace.models.iterdir()) == []


def test_every_place_of_the_workspace_is_of_a_kind(workspace):
    values = [getattr(workspace, name) for name, one in vars(Workspace).items()
              if isinstance(one, property)]  # fmt: skip
    places = [one for one in values if isinstance(one, Path)]
    patterns = [pattern for kind in KINDS for pattern in kind.where]
    for place in map(workspace.relative, places):
        assert any(pattern.startswith(place) for pattern in patterns)


def test_no_kind_has_the_name_of_another():
    assert len({kind.name for kind in KINDS}) == len(KINDS)


def test_a_file_of_no_kind_is_strange_and_left_alone(workspace, small):
    other = workspace.images / "notes.txt"
    other.write_text("mine")
    assert looking.strange(workspace) == [other]
    assert looking.damaged(workspace) == []
    assert looking.sizes(workspace)[-1] == ("strange", 1, 4)
    mend(workspace, [])
    assert other.exists()


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
    assert looking.damaged(workspace) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"assignment": null}', b"\xff"])
def test_a_damaged_lineage_is_found_and_said_to_be_made_by_no_run(workspace, line, content):
    path, _ = line
    path.write_bytes(content)
    assert looking.damaged(workspace) == [path]
    done = mend(workspace, [path])
    assert (done.removed, list(done.left)) == ([], [path])
    assert path.read_bytes() == content


def test_a_lineage_whose_assignment_is_damaged_is_found(workspace, line):
    _, manifest = line
    manifest.write_bytes(manifest.read_bytes()[:-20])
    assert looking.damaged(workspace) == [manifest]
    assert list(mend(workspace, [manifest]).left) == [manifest]
    assert manifest.exists()


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b'{"shards": 3}', b'{"images": 3, "shards": {"x.arrow": 3}}']
)
def test_a_damaged_list_of_shards_is_found(workspace, small, content):
    (path,) = small.shard.parent.glob("sets/*.json")
    path.write_bytes(content)
    assert looking.damaged(workspace) == [path]


@pytest.mark.parametrize("content", [b"", b"{", b'{"experiment": "small"}'])
def test_a_damaged_record_is_found(workspace, small, content):
    path = min(workspace.records.glob("*/*/*.json"))
    path.write_bytes(content)
    assert looking.damaged(workspace) == [path]


@pytest.fixture
def kept(workspace, small):
    """What no run makes again: a lineage with its table, a log of publications, a ledger."""
    table = pd.DataFrame({"image": ["a.jpg", "b.jpg"], "split": ["train", "test"]})
    digest, manifest = manifests.save(workspace.manifests, table)
    line = workspace.lineage("small", 7)
    assignment = {"digest": digest, "where": workspace.relative(manifest), "bytes": 1, "images": 2}
    content = {"made_for": "a", "assignment": assignment, "previous": None}
    generations.write(workspace, line, atomic.as_json(content))
    generations.keep(workspace, manifest)
    publications.publish(
        workspace,
        Publication(
            experiment="small", when="now", model=workspace.relative(small.model),
            evaluation=workspace.relative(small.evaluation), judgement="good", accuracy=1.0,
            report=workspace.relative(small.report), card="a card",
        ),
    )  # fmt: skip
    with Ledger.opened(workspace.ledger) as ledger:
        ledger.add([Download(f"http://a/{n}", DownloadStatus.OK) for n in range(200)])
    log = workspace.models / "published" / "small.history.json"
    return sorted([line, manifest, log, workspace.ledger])


def test_a_backup_holds_what_no_run_makes_again_and_brings_it_back(workspace, kept, tmp_path):
    file = tmp_path / "backup.zip"
    assert backup.save(workspace, file) == kept
    before = {path: path.read_bytes() for path in kept if path != workspace.ledger}
    looking.remove([workspace.root])
    done = backup.restore(workspace, file)
    assert sorted(done.written) == kept
    assert {path: path.read_bytes() for path in before} == before
    with Ledger.opened(workspace.ledger) as ledger:
        assert len(ledger.rows([f"http://a/{n}" for n in range(200)])) == 200
    assert all(generations.copies(workspace, path) for path in before)
    assert sorted(backup.restore(workspace, file).same) == kept


def test_a_backup_takes_the_place_of_what_differs_only_if_it_is_told_to(workspace, kept, tmp_path):
    file = tmp_path / "backup.zip"
    backup.save(workspace, file)
    line = workspace.lineage("small", 7)
    old = line.read_bytes()
    new = old.replace(b'"a"', b'"b"')
    generations.write(workspace, line, new)
    assert backup.restore(workspace, file).different == [line]
    assert line.read_bytes() == new
    assert backup.restore(workspace, file, replace=True).written == [line]
    assert line.read_bytes() == old


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("../outside.json", b"{}"),
        ("splits/lineage/../../../x.json", b"{}"),
        ("models/published/a/b.history.json", b"{}"),
        ("/etc/x.history.json", b"{}"),
        ("images/aa/a.jpg", b"x"),
        ("splits/lineage/a.json", None),
    ],
)
def test_a_strangers_backup_writes_nothing(workspace, tmp_path, name, data):
    file = tmp_path / "backup.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, data or b"{}")
        digest = digests.of_bytes(data) if data else "0" * 64
        archive.writestr(backup.LIST, json.dumps({name: digest}))
    with pytest.raises(SourceDamaged, match="nothing that a backup holds"):
        backup.restore(workspace, file)
    assert not workspace.root.exists()


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all"])
def test_what_is_no_zip_is_no_backup(workspace, tmp_path, content):
    (tmp_path / "backup.zip").write_bytes(content)
    with pytest.raises(SourceDamaged, match="expected a backup"):
        backup.restore(workspace, tmp_path / "backup.zip")


@pytest.mark.parametrize("place", [0, 30, 2 * 4096 - 200, -300])
def test_a_damaged_ledger_keeps_the_rows_that_can_be_read(workspace, kept, place):
    flip_many(workspace.ledger, place)
    assert looking.damaged(workspace) == [workspace.ledger]
    with pytest.raises(StorageDamaged), Ledger.opened(workspace.ledger) as ledger:
        ledger.rows([f"http://a/{n}" for n in range(200)])
    done = mend(workspace, [workspace.ledger])
    assert "200 addresses" in done.restored[workspace.ledger]  # its copy has them all
    assert looking.damaged(workspace) == []
    with Ledger.opened(workspace.ledger) as ledger:
        assert len(ledger.rows([f"http://a/{n}" for n in range(200)])) == 200


def flip_many(path, place):
    """Write over a stretch of a database."""
    data = bytearray(path.read_bytes())
    place = place % len(data)
    data[place : place + 200] = b"\xff" * len(data[place : place + 200])
    path.write_bytes(data)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def test_what_is_gone_is_named_itself(workspace, small, images):
    rows = pd.DataFrame(
        {"image": [path.name for path in small.images], "status": "kept",
         "bytes": [path.stat().st_size for path in small.images]}
    )  # fmt: skip
    digest, path = manifests.save(workspace.manifests, rows)
    collection = CollectionRef(
        digest=digest, where=workspace.relative(path), bytes=path.stat().st_size, images=3, rows=3
    )
    note(workspace, "small", "acquire", collection)
    small.images[1].unlink()
    # What the tree links to is no stored picture any more.
    assert looking.damaged(workspace) == sorted([small.images[1], small.tree])
    shutil.rmtree(small.tree)
    small.shard.unlink()
    gone = {small.images[1], small.tree, small.features}
    assert set(looking.damaged(workspace)) == gone
    assert mend(workspace, looking.damaged(workspace)).experiments == ["small"]
    assert small.manifest.exists()


def test_results_of_an_earlier_version_are_no_damage(workspace, small):
    for path in workspace.results.iterdir():
        older = json.loads(path.read_text())
        older["metadata"]["serializer"] = {"type": "json", "jsonlib": "json"}
        atomic.write_json(path, older)
    assert looking.damaged(workspace) == []
