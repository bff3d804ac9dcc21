"""Which file a model's name stands for."""

import shutil

import pytest

from storage import atomic, publications
from storage.errors import ParameterError
from tasks.classify.models import model_file


def publication(experiment, model):
    return publications.Publication(
        experiment=experiment, when="2026-01-01", model=model, evaluation="e", report="r",
        accuracy=0.9, judgement="fine",
    )  # fmt: skip


def test_a_file_or_its_folder(tmp_path):
    file = tmp_path / "model.keras"
    file.write_bytes(b"x")
    assert model_file(str(file)) == file
    assert model_file(str(tmp_path)) == file


def test_of_an_experiment_the_published_model_else_the_latest(workspace):
    latest = workspace.reports / "birds" / "latest" / "metrics.json"
    atomic.write_json(latest, {"model": "models/new"})
    assert model_file("birds") == workspace.root / "models/new/model.keras"
    (workspace.models / "good").mkdir(parents=True)
    publications.publish(workspace, publication("birds", "models/good"))
    assert model_file("birds") == workspace.root / "models/good/model.keras"


def test_looking_a_model_up_writes_nothing(workspace):
    (workspace.models / "good").mkdir(parents=True)
    publications.publish(workspace, publication("birds", "models/good"))
    publications.link(workspace, "birds").unlink()
    shutil.rmtree(workspace.locks)
    before = set(workspace.root.rglob("*"))
    assert model_file("birds") == workspace.root / "models/good/model.keras"
    with pytest.raises(ParameterError):
        model_file("bees")
    assert set(workspace.root.rglob("*")) == before


def test_a_model_taken_back_is_not_looked_up(workspace):
    for name in ("good", "bad"):
        (workspace.models / name).mkdir(parents=True)
        publications.publish(workspace, publication("birds", f"models/{name}"))
    publications.take_back(workspace, "birds", "2026-01-02")
    assert publications.looked_up(workspace, "birds") == publication("birds", "models/good")


def test_a_name_that_no_file_can_have_is_not_there():
    with pytest.raises(ParameterError, match="no model at nnn"):
        model_file("n" * 5000)


def test_what_is_neither_is_named():
    with pytest.raises(ParameterError, match=r"no model at brids: expected a model\.keras"):
        model_file("brids")
