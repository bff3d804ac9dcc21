"""Darkroom from Python: a run's tables, arrays, model and page; its names beside a user's own."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.flows.conftest import parameters
from tests.project import PROJECT


@pytest.fixture
def listed(pictures, tmp_path):
    """A list of experiments of one's own."""
    file = tmp_path / "prefect.yaml"
    file.write_text(
        json.dumps({"deployments": [{"name": "own", "parameters": parameters(pictures)}]})
    )
    return file


@pytest.fixture
def result(listed, developed, monkeypatch):
    """The stored run, asked for from Python: no Prefect server is reachable."""
    import darkroom

    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    return darkroom.run("own", file=listed)


def test_a_result_has_what_the_command_prints(result, developed):
    assert result.summary["metrics"] == developed["metrics"]
    assert str(result.report) == developed["report"]
    assert (result.experiment, result.gate) == ("small", None)


def test_metrics_are_a_table_with_intervals(result, developed):
    row = result.metrics.loc[("test", "accuracy")]
    assert row["low"] <= row["mean"] <= row["high"]
    assert row["mean"] == developed["metrics"]["test"]["accuracy"]["mean"]


def test_predictions_have_a_row_for_every_picture(result):
    table = result.predictions
    assert len(table) == 24
    assert table["split"].value_counts().to_dict() == {"train": 12, "validation": 6, "test": 6}


def test_features_come_with_their_labels(result):
    features, labels = result.features("train")
    assert features.shape[0] == labels.shape[0] == 12
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
    table = result.predictions
    assert sorted(labels) == sorted(table.loc[table["split"] == "train", "label"])


@pytest.mark.parametrize("folder", ["ねこ 🐈", "a\u2028b", "2024", "true", " x ", "a: b"])
def test_settings_from_python_arrive_as_they_are(folder):
    import darkroom
    from flows import experiments

    words = darkroom._words({"source.folder": Path(folder), "training.epochs": 2})
    found = experiments.load("my-pictures", words)
    assert (str(found.source.folder), found.training.epochs) == (folder, 2)


def test_a_split_that_there_is_not_is_named(result):
    from storage.errors import ParameterError

    with pytest.raises(ParameterError, match="one of train, validation, test, found 'val'"):
        result.features("val")


def test_the_model_takes_pictures(result):
    probabilities = result.model().predict(np.zeros((1, 40, 50, 3), np.float32), verbose=0)
    assert probabilities.shape == (1, 2)
    assert probabilities.sum() == pytest.approx(1, abs=1e-3)


def test_a_result_shows_itself_without_markup_from_strangers(result):
    result.summary["experiment"] = "<script>"
    shown = result._repr_html_()
    assert "&lt;script&gt;" in shown
    assert "<script>" not in shown
    assert result.report.as_uri() in shown


def test_a_run_that_stopped_early_has_the_rest_as_none(listed, developed, monkeypatch):
    import darkroom
    from storage.errors import ParameterError

    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    result = darkroom.run("own", until="split", file=listed)
    assert (result.metrics, result.predictions, result.report) == (None, None, None)
    for call in (result.model, lambda: result.features("test")):
        with pytest.raises(ParameterError, match="stopped before"):
            call()


def test_explain_is_a_table(listed, developed):
    import darkroom

    told = darkroom.explain("own", {"training.epochs": 4}, file=listed)
    assert isinstance(told, pd.DataFrame)
    assert told["state"].tolist()[:5] == ["cached"] * 4 + ["run"]


def python(folder, script):
    """A new process in `folder`, with `folder` first on its path, as a notebook has it."""
    path = f"import sys; sys.path[:0] = [{str(folder)!r}, {str(PROJECT)!r}]\n"
    return subprocess.run(
        [sys.executable, "-W", "always", "-c", path + script],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["tasks.py", "storage/__init__.py"])
def test_a_module_of_the_same_name_hides_nothing_and_is_told(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("MINE = 1\n")
    done = python(tmp_path, "import darkroom, tasks.running.steps, storage.digests; print('fine')")
    assert done.stdout.strip() == "fine", done.stderr
    assert f"{tmp_path / name} is hidden by Darkroom's package" in done.stderr


def test_a_module_of_the_same_name_that_is_loaded_is_an_error_that_says_so(tmp_path):
    (tmp_path / "tasks.py").write_text("MINE = 1\n")
    done = python(tmp_path, "import tasks\nassert tasks.MINE\nimport darkroom")
    assert done.returncode == 1
    assert f"found {tmp_path / 'tasks.py'} loaded under this name" in done.stderr


def test_without_such_a_module_nothing_is_said(tmp_path):
    done = python(tmp_path, "import darkroom")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
