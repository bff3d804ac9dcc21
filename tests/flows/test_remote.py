"""Several machines and what they share: runs, refreshes, and a bucket that is away."""

import json
import shutil
from pathlib import Path

import pytest

from storage import elsewhere
from storage.elsewhere import REMOTE_VARIABLE
from storage.remote.folder import Folder
from storage.workspace import DATABASE_VARIABLE, HOME_VARIABLE
from tests import databases
from tests.buckets import SECRET, bucket_server, environment, make_bucket
from tests.flows.conftest import parameters
from tests.pictures import picture

STEPS = ("acquire", "clean", "split", "extract", "train", "evaluate", "publish")


def states(result):
    return {step["name"]: step["state"] for step in result["steps"]}


def kind_of(result):
    return set(states(result).values())


@pytest.fixture
def machine(tmp_path, monkeypatch):
    def become(name):
        monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / name))

    return become


@pytest.fixture
def shared(tmp_path, monkeypatch):
    monkeypatch.setenv(REMOTE_VARIABLE, str(tmp_path / "remote"))
    return tmp_path / "remote"


@pytest.fixture
def tree(pictures):
    return parameters(pictures)


@pytest.fixture
def asked(monkeypatch):
    """The names of objects that were fetched from the folder, in order."""
    names = []
    fetch = Folder.fetch

    def noting(self, name, target):
        names.append(name)
        return fetch(self, name, target)

    monkeypatch.setattr(Folder, "fetch", noting)
    return names


def test_what_one_machine_made_no_other_makes_again(developed, run, experiment, machine, shared):
    first = run(experiment)  # cached here; the remote is given all of it
    assert kind_of(first) == {"cached"}
    machine("two")
    second = run(experiment)
    assert kind_of(second) == {"cached"}
    assert second["metrics"] == first["metrics"] == developed["metrics"]
    assert Path(second["model"]).is_file()
    assert str(shared.parent / "two") in second["model"]


@pytest.mark.usefixtures("developed", "shared")
def test_a_stored_answer_needs_no_prefect_there_either(run, experiment, machine):
    from flows.steps import answer_from_stored, foretell

    run(experiment)
    machine("two")
    assert {one.state for one in foretell(experiment, [])} == {"cached"}
    machine("three")
    assert answer_from_stored(experiment, None) is not None


@pytest.mark.usefixtures("developed", "shared")
def test_a_new_picture_costs_one_picture_on_another_machine(run, experiment, machine, tmp_path):
    run(experiment)
    folder = shutil.copytree(experiment.source.folder, tmp_path / "more")
    (folder / "ant" / "new.jpg").write_bytes(picture(77))
    source = experiment.source.model_copy(update={"folder": folder})
    machine("two")
    result = run(experiment.model_copy(update={"source": source}))
    assert states(result)["extract"] == "executed"
    assert result["counts"]["extracted"] == 1


@pytest.mark.usefixtures("developed", "shared")
def test_what_is_here_is_not_asked_for(run, experiment, machine, asked):
    run(experiment)
    machine("two")
    training = experiment.training.model_copy(update={"epochs": 4})
    run(experiment.model_copy(update={"training": training}))
    assert any(name.startswith("features/") for name in asked)
    asked.clear()
    training = experiment.training.model_copy(update={"epochs": 5})
    result = run(experiment.model_copy(update={"training": training}))
    assert states(result)["train"] == "executed"
    # Only whether another machine has done these steps.
    assert {name.partition("-")[0] for name in asked} == {
        "results/train", "results/evaluate", "results/publish",
    }  # fmt: skip


@pytest.mark.usefixtures("developed", "prefect_server")
def test_the_command_works_with_a_bucket(darkroom, listed, tree, machine, tmp_path, monkeypatch):
    words = listed(tree)
    pytest.importorskip("obstore", reason="needs obstore, which is not installed")
    with bucket_server(tmp_path) as (endpoint, log):
        for name, value in environment(endpoint).items():
            monkeypatch.setenv(name, value)
        make_bucket(endpoint, "team")
        monkeypatch.setenv(REMOTE_VARIABLE, "s3://team/pictures")
        assert darkroom("run", "small", *words)[0] == 0
        machine("two")
        code, _, err = darkroom("run", "small", *words)
        assert (code, err.count("cached")) == (0, len(STEPS))
        assert darkroom("cache", "verify", "--remote")[:2] == (0, "everything is whole\n")
        code, out, _ = darkroom("cache", "list", "--remote")
        assert code == 0
        assert "s3://team/pictures" in out
        assert "images" in out
        assert darkroom("cache", "gc", "--remote", "--yes")[0] == 0
        code, out, _ = darkroom("report", "open", "small")
        assert code == 0
        assert str(tmp_path / "two") in out
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        machine("three")
        elsewhere._opened.cache_clear()
        from storage.remote.opening import opened

        opened.cache_clear()
        code, _, err = darkroom("run", "small", "--until", "clean", *words)
        assert code == 0
        assert err.count("gives it what is missing") == 1
        written = log.read_text() + err
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path
    assert SECRET not in written


def test_a_remote_that_is_none_is_said(darkroom, listed, tree, monkeypatch):
    words = listed(tree)
    monkeypatch.setenv(REMOTE_VARIABLE, "s3://key:secret@bucket/a")
    code, _, err = darkroom("run", "small", *words)
    assert code == 2
    assert "expected DARKROOM_REMOTE" in err
    assert "secret@" not in err
    monkeypatch.delenv(REMOTE_VARIABLE)
    code, _, err = darkroom("cache", "verify", "--remote")
    assert code == 2
    assert "found nothing there" in err


def test_two_machines_at_once_do_each_step_once(command, tree, tmp_path, monkeypatch, shared):
    """Each has a workspace of its own; they share the folder, and the database's locks."""
    with databases.server() as server:
        monkeypatch.setenv(DATABASE_VARIABLE, server.address)
        runs = []
        for name in ("one", "two"):
            monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / name))
            runs.append(command("run", "small", "--json", experiment=tree))
        ended = [one.communicate(timeout=240) for one in runs]
    assert [one.returncode for one in runs] == [0, 0], ended
    both = [states(json.loads(out.strip().splitlines()[-1])) for out, _ in ended]
    for step in STEPS:
        assert sorted(one[step] for one in both) == ["cached", "executed"], step
    assert shared.is_dir()
    assert "some-password" not in str(ended)
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or b"some-password" not in path.read_bytes(), path
