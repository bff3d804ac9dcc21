"""Which file a model's name stands for."""

import pytest

from storage import atomic, published
from storage.errors import ParameterError
from tasks.classify.models import model_file


def publication(experiment, model):
    return published.Publication(
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
    published.publish(workspace, publication("birds", "models/good"))
    assert model_file("birds") == workspace.root / "models/good/model.keras"


def test_what_is_neither_is_named():
    with pytest.raises(ParameterError, match=r"no model at brids: expected a model\.keras"):
        model_file("brids")
