"""What a workspace gives to a remote and takes from it."""

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from storage import elsewhere, folders, generations, manifests, publications
from storage.elsewhere import REMOTE_VARIABLE
from storage.errors import RemoteAway, StorageDamaged
from storage.features import FeatureSpace, FeatureStore, FeatureTable
from storage.images import ImageStore
from storage.inventory import remotes
from storage.publications import Publication
from storage.references import AssignmentRef, CollectionRef, ModelRef, stored
from storage.wholeness import is_whole
from storage.workspace import HOME_VARIABLE, Workspace
from tests.pictures import picture
from tests.project import PROJECT

SPACE = FeatureSpace(
    backbone="B", weights="w", layer="l", image_size=8, resizing="r", preprocessing="p",
    precision="float32", shape=(4,),
)  # fmt: skip


@pytest.fixture
def shared(tmp_path, monkeypatch):
    """The folder that machines share."""
    monkeypatch.setenv(REMOTE_VARIABLE, str(tmp_path / "remote"))
    return tmp_path / "remote"


@pytest.fixture
def machine(tmp_path, monkeypatch, shared):
    """Makes this process another machine: its workspace, made."""

    def become(name):
        monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / name))
        return Workspace.current().made()

    return become


def collection(workspace, numbers=range(3)):
    store = ImageStore(workspace.images)
    pictures = [picture(number) for number in numbers]
    rows = [(store.add(data), len(data)) for data in pictures]
    _, path = manifests.save(workspace.manifests, pd.DataFrame(rows, columns=["image", "bytes"]))
    reference = CollectionRef(
        digest=path.stem, where=workspace.relative(path), bytes=path.stat().st_size,
        images=len(rows), rows=len(rows),
    )  # fmt: skip
    return reference, [name for name, _ in rows]


def model(workspace, content=b"weights"):
    folder = workspace.models / "abcd"
    with folders.new_folder(folder) as scratch:
        (scratch / "model.keras").write_bytes(content)
        (scratch / "parts").mkdir()
        (scratch / "parts" / "0.keras").write_bytes(b"part")
        folders.seal(scratch)
    return ModelRef(digest="abcd", where="models/abcd", classes=("a", "b"), repeats=1)


def test_tables_come_with_the_record_and_pictures_when_they_are_read(machine):
    one = machine("one")
    reference, names = collection(one)
    elsewhere.push(one, "acquire-1", reference, anew=True)

    two = machine("two")
    assert elsewhere.pull(two, "acquire-2") is None
    assert elsewhere.pull(two, "acquire-1") == reference == stored(two.results / "acquire-1")
    assert manifests.load(two.path(reference))["image"].tolist() == names
    assert list(ImageStore(two.images).names()) == []
    assert is_whole(two, reference)
    assert ImageStore(two.images).read(names[1]) == picture(1)
    assert list(ImageStore(two.images).names()) == [names[1]]
    assert not os.access(ImageStore(two.images).path(names[1]), os.W_OK) or os.geteuid() == 0


def test_a_folder_comes_whole_or_not_at_all(machine, shared, capsys):
    one = machine("one")
    elsewhere.push(one, "train-1", model(one), anew=True)
    two = machine("two")
    assert elsewhere.pull(two, "train-1") == model(one)
    assert folders.is_intact(two.models / "abcd")

    (shared / "models/abcd/model.keras").write_bytes(b"weightz")
    three = machine("three")
    assert elsewhere.pull(three, "train-1") is None
    assert not (three.models / "abcd").exists()
    assert list(three.models.glob(".*")) == []
    assert not (three.results / "train-1").exists()
    assert "damaged in the remote" in capsys.readouterr().err


def test_a_damaged_picture_is_not_taken(machine, shared, capsys):
    one = machine("one")
    reference, names = collection(one)
    elsewhere.push(one, "acquire-1", reference, anew=True)
    there = shared / "images" / names[0][:2] / names[0]
    there.chmod(0o644)
    there.write_bytes(there.read_bytes()[:-1] + b"?")

    two = machine("two")
    assert elsewhere.pull(two, "acquire-1") == reference
    with pytest.raises(StorageDamaged):
        ImageStore(two.images).read(names[0])
    assert "damaged in the remote" in capsys.readouterr().err
    assert not is_whole(two, reference)  # so that the step runs again here


def test_verify_names_what_is_damaged_or_missing_and_gives_it_back(machine, shared):
    one = machine("one")
    reference, names = collection(one)
    elsewhere.push(one, "acquire-1", reference, anew=True)
    elsewhere.push(one, "train-1", model(one), anew=True)
    remote = remotes.of(one)
    assert remotes.damaged(remote) == []

    there = shared / "images" / names[0][:2] / names[0]
    there.chmod(0o644)
    there.write_bytes(b"no picture")
    (shared / "models/abcd/parts/0.keras").unlink()
    found = remotes.damaged(remote)
    assert found == [
        f"images/{names[0][:2]}/{names[0]}",
        "models/abcd/contents.json",
        "models/abcd/parts/0.keras",
        "results/train-1",
    ]
    remote.remove(found)
    elsewhere.push(one, "acquire-1", reference, anew=False)
    elsewhere.push(one, "train-1", model(one), anew=False)
    assert remotes.damaged(remote) == []
    assert elsewhere.pull(machine("two"), "train-1") == model(one)


def test_features_are_taken_over_by_the_names_that_are_wanted(machine):
    one = machine("one")
    store = FeatureStore(one, SPACE)
    store.add(["a", "b"], np.arange(8.0).reshape(2, 4))
    store.add(["c"], np.ones((1, 4)))
    elsewhere.push(one, "extract-1", store.reference(["a", "b", "c"]), anew=True)

    two = machine("two")
    known = FeatureStore(two, SPACE)
    assert known.missing(["a", "d"]) == ["d"]
    assert len(known.shards.paths()) == 1  # that of `c` stays where it is
    known.add(["d"], np.zeros((1, 4)))
    reference = known.reference(["a", "d"])
    elsewhere.push(two, "extract-2", reference, anew=True)

    three = machine("three")
    assert elsewhere.pull(three, "extract-2") == reference
    assert is_whole(three, reference)
    assert FeatureStore(three, SPACE).shards.paths() == []
    table = FeatureTable.of(three, reference, ["d", "a"])
    assert table.rows(np.arange(2)).tolist() == [[0, 0, 0, 0], [0, 1, 2, 3]]


@pytest.mark.parametrize(
    "where", ["../../outside/model", "/tmp/x.parquet", "manifests/../../x.json"]
)
def test_a_record_that_leads_out_of_the_workspace_is_none(machine, where, shared):
    one = machine("one")
    elsewhere.push(one, "train-1", model(one), anew=True)
    record = shared / "results/train-1"
    content = json.loads(record.read_bytes())
    hostile = ModelRef(digest="abcd", where=where, classes=("a",), repeats=1)
    from storage.references import as_stored

    record.write_text(json.dumps(content | {"result": json.dumps(as_stored(hostile))}))
    assert elsewhere.pull(machine("two"), "train-1") is None


def test_a_remote_of_a_newer_version_is_left_alone(machine, shared, capsys):
    shared.mkdir()
    (shared / "workspace.json").write_text('{"format": 99}')
    one = machine("one")
    elsewhere.push(one, "train-1", model(one), anew=True)
    elsewhere.tell_if_away(one)
    assert "newer Darkroom" in capsys.readouterr().err
    assert [path.name for path in shared.iterdir()] == ["workspace.json"]


def test_a_remote_that_is_away_is_told_of_once_and_given_what_is_missing_later(
    machine, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv(REMOTE_VARIABLE, str(tmp_path / "disk" / "remote"))
    one = machine("one")
    elsewhere.begin(one)
    elsewhere.push(one, "train-1", model(one), anew=True)
    assert elsewhere.pull(one, "other-1") is None
    elsewhere.tell_if_away(one)
    elsewhere.tell_if_away(one)
    assert capsys.readouterr().err.count("gives it what is missing") == 1
    with pytest.raises(RemoteAway):
        elsewhere.fetched(one.images / "ab" / "abcd.jpg")

    (tmp_path / "disk").mkdir()
    elsewhere.begin(one)
    elsewhere.push(one, "train-1", model(one), anew=False)
    assert elsewhere.pull(machine("two"), "train-1") == model(one)


def published(workspace, when, content=b"weights"):
    reference = model(workspace, content)
    for name in ("evaluations/ef", f"reports/x/{when}"):
        with folders.new_folder(workspace.root / name) as scratch:
            (scratch / "metrics.json").write_text(when)
            folders.seal(scratch)
    publications.publish(
        workspace,
        Publication(
            experiment="x", when=when, model=reference.where, evaluation="evaluations/ef",
            report=f"reports/x/{when}", accuracy=0.5, judgement="first", card="a card",
        ),
    )  # fmt: skip


def test_what_one_machine_publishes_is_published_on_all(machine):
    one = machine("one")
    published(one, "2026-01-01")
    elsewhere.begin(one)
    two = machine("two")
    elsewhere.begin(two)
    assert publications.link(two, "x").resolve() == two.models / "abcd"
    assert (two.reports / "x" / "latest" / "metrics.json").read_text() == "2026-01-01"
    assert publications.looked_up(two, "x").when == "2026-01-01"


def test_logs_that_both_changed_are_merged(machine):
    one, two = machine("one"), machine("two")
    published(two, "2026-01-02")
    elsewhere.begin(two)
    one = machine("one")
    published(one, "2026-01-01")
    elsewhere.begin(one)
    assert [event.when for event in publications.history(one, "x")] == ["2026-01-01", "2026-01-02"]
    assert publications.looked_up(one, "x").when == "2026-01-02"
    elsewhere.begin(machine("two"))
    assert publications.history(two, "x") == publications.history(one, "x")


def lineage(workspace, places):
    table = pd.DataFrame(sorted(places.items()), columns=["image", "split"])
    digest, path = manifests.save(workspace.manifests, table)
    generations.keep(workspace, path)
    reference = AssignmentRef(
        digest=digest, where=workspace.relative(path), bytes=path.stat().st_size, images=len(table)
    )
    content = {"made_for": "", "assignment": reference.model_dump(), "previous": None}
    generations.write(workspace, workspace.lineage("x", 1), json.dumps(content).encode())


def test_of_two_sticky_splits_the_remote_s_stays(machine, capsys):
    one = machine("one")
    lineage(one, {"a": "train"})
    elsewhere.begin(one)
    two = machine("two")
    lineage(two, {"a": "test"})
    elsewhere.begin(two)
    assert two.lineage("x", 1).read_bytes() == one.lineage("x", 1).read_bytes()
    assert "its split stays" in capsys.readouterr().err
    lineage(two, {"a": "train", "b": "test"})  # who continues it moves it
    elsewhere.begin(two)
    elsewhere.begin(machine("one"))
    assert one.lineage("x", 1).read_bytes() == two.lineage("x", 1).read_bytes()


def test_what_nothing_needs_is_found_by_listing(machine, shared):
    one = machine("one")
    reference, names = collection(one)
    elsewhere.push(one, "acquire-1", reference, anew=True)
    published(one, "2026-01-01")
    elsewhere.begin(one)
    for path in shared.rglob("*"):
        if path.is_file():
            os.utime(path, (1, 1))
    remote = remotes.of(one)
    assert remotes.unneeded(remote, older_than_seconds=0) != []
    gone = {entry.name for entry in remotes.unneeded(remote, older_than_seconds=60)}
    # No record names the collection; the published model, its evaluation and report stay.
    assert gone == {reference.where, *(f"images/{name[:2]}/{name}" for name in names)}
    assert {one.name for one in remotes.sizes(remote)} >= {"images", "models", "publications"}


def test_without_a_remote_not_a_line_of_it_is_imported():
    script = (
        "import sys\n"
        "import flows.steps, storage.wholeness, tasks.running.results, tasks.classify.models\n"
        "from storage import elsewhere\nfrom storage.workspace import Workspace\n"
        "elsewhere.begin(Workspace.current())\n"
        "assert elsewhere.pull(Workspace.current(), 'a') is None\n"
        "assert not [one for one in sys.modules if one.startswith(('storage.remote', 'obsto'))]"
    )
    environment = {k: v for k, v in os.environ.items() if k != REMOTE_VARIABLE}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
