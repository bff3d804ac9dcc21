"""A run whose head is chosen, from its first step to a model that doubts."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import requests

from flows.command.presets import PRESETS, settings_of
from flows.parameters import Experiment
from flows.settings import experiment_of
from storage import folders
from storage.folders import CARD, HISTORY, PLOT, TRAINING, TRIED, UNSEEN
from storage.workspace import HOME_VARIABLE
from tests.flows.conftest import moved
from tests.pictures import picture, write_folders
from tests.project import PROJECT

CLASSES = ("ant", "bee", "cow")


def tree(folder):
    return {
        "experiment": "chosen",
        "source": {"kind": "folders", "folder": str(folder)},
        "split": {"fractions": {"train": 0.6, "validation": 0.2, "test": 0.2}},
        "model": {"image_size": 32, "precision": "float32", "head": {"kind": "linear"}},
        "training": {"calibration": "temperature", "repeats": 2},
    }


@pytest.fixture(scope="module")
def run_once(run, tmp_path_factory):
    root = tmp_path_factory.mktemp("chosen")
    folder = write_folders(root / "pictures", per_class=30, classes=CLASSES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(HOME_VARIABLE, str(root / "workspace"))
        return root / "workspace", run(Experiment.model_validate(tree(folder)))


@pytest.fixture
def chosen(run_once, workspace):
    return moved(run_once, workspace)


def test_a_head_is_chosen_fitted_again_and_explained(chosen):
    folder = Path(chosen["model"]).parent
    facts = folders.read_json(folder / TRAINING)["facts"]
    tried = pd.read_csv(folder / TRIED)
    assert tried["chosen"].sum() == 1
    assert len(tried) == facts["candidates"]
    assert facts["judged_by"] == 72
    assert facts["refitted"]
    assert len(pd.read_csv(folder / HISTORY)) == 1
    assert f"the best of {len(tried)} heads on 72 unseen pictures" in (folder / CARD).read_text()
    page = Path(chosen["report"]).read_text()
    assert f"What was tried ({len(tried)} heads)" in page
    assert "fitted on validation pictures too" in page
    assert not Path(chosen["report"]).with_name(PLOT).exists()


def test_validation_is_judged_by_what_was_said_before_it_was_learned(chosen):
    folder = Path(chosen["model"]).parent
    table = pd.read_parquet(chosen["predictions"])
    columns = [f"probability_{name}" for name in CLASSES]
    held_out = table[table["split"] == "validation"][columns].to_numpy()
    assert np.array_equal(held_out, pd.read_parquet(folder / UNSEEN).to_numpy())


def test_the_saved_model_says_what_the_table_says(chosen):
    from tasks.pictures.decoding import decode
    from tasks.running.tensorflow import load_keras

    table = pd.read_parquet(chosen["predictions"])
    model = load_keras().saving.load_model(chosen["model"])
    for row in table[table["split"] == "test"].head(5).itertuples():
        hue, number = (
            CLASSES.index(row.label),
            int(row.name.rpartition(".jpg")[0].rpartition(".")[2]),
        )
        pixels = decode(picture(1000 * hue + number, hue=hue)).astype(np.float32)
        said = np.asarray(model(pixels[None]))[0]
        expected = [getattr(row, f"probability_{name}") for name in CLASSES]
        assert said == pytest.approx(expected, abs=2e-3)


def test_the_model_doubts(chosen, darkroom, tmp_path):
    folder = write_folders(tmp_path / "new", per_class=4, classes=CLASSES, first=500)
    noise = np.random.default_rng(0).integers(0, 256, 40 * 48 * 3, np.uint8).tobytes()
    (folder / "noise.ppm").write_bytes(b"P6 48 40 255\n" + noise)
    words = ("classify", chosen["model"], folder, "--json")
    outputs = [
        darkroom(*words, "--doubt", "--table", tmp_path / "table.csv")[1],
        darkroom(*words)[1],
    ]
    rows, before = (json.loads(one.splitlines()[-1])["images"] for one in outputs)
    assert [row["label"] for row in rows] == [row["label"] for row in before]
    for row, one in zip(rows, before, strict=True):
        if row["label"]:
            assert row["probability"] == pytest.approx(one["probability"], abs=1e-4)
            assert "unknown" not in one
            assert set(row["held"]) <= set(CLASSES)
            assert not row["held"] or row["label"] in row["held"]
    table = pd.read_csv(tmp_path / "table.csv")
    assert list(table.columns[-3:]) == ["unknown", "familiarity", "held"]


def test_a_server_doubts_as_the_command_does(chosen, darkroom, tmp_path):
    folder = write_folders(tmp_path / "new", per_class=2, classes=CLASSES, first=700)
    said = darkroom("classify", chosen["model"], folder, "--json", "--doubt")[1]
    rows = json.loads(said.splitlines()[-1])["images"]
    assert rows
    words = [sys.executable, "-m", "flows", "serve", chosen["model"], "--port", "0", "--doubt"]
    with subprocess.Popen(words, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as child:
        try:
            address = re.search(r"http://127\.0\.0\.1:\d+", child.stdout.readline())[0]
            for row in rows:
                files = {"file": (folder / row["image"]).read_bytes()}
                answer = requests.post(f"{address}/predict", files=files, timeout=60).json()
                for name in ("label", "held", "unknown"):
                    assert answer[name] == row[name], name
                assert answer["familiarity"] == pytest.approx(row["familiarity"], abs=1e-3)
            files = [("file", (folder / row["image"]).read_bytes()) for row in rows[:2]]
            both = requests.post(f"{address}/predict", files=files, timeout=60).json()
            assert [one["held"] for one in both] == [row["held"] for row in rows[:2]]
        finally:
            child.kill()


def test_a_model_without_bounds_says_so(developed, darkroom, pictures):
    code, _, err = darkroom("classify", developed["model"], pictures, "--doubt")
    assert code
    assert "--doubt is for models whose head was chosen" in err


def test_a_model_of_both_sides_has_no_bounds(chosen, darkroom, pictures):
    path = Path(chosen["model"]).with_name(TRAINING)
    told = json.loads(path.read_text()) | {"averaged": ["", "mirrored"]}
    path.chmod(0o644)
    path.write_text(json.dumps(told))
    code, _, err = darkroom("classify", chosen["model"], pictures, "--doubt")
    assert code
    assert f"{TRAINING} is damaged" in err
    folders.seal(path.parent)
    code, _, err = darkroom("classify", chosen["model"], pictures, "--doubt")
    assert code
    assert "not for models that predict the mean over a picture and its mirror image" in err


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_laid_under_what_is_set(name, tmp_path):
    given = tree(tmp_path) | {"model": {"kind": "features"}}
    assert experiment_of(given, settings_of(name)).model.head.is_chosen
    changed = experiment_of(given, [*settings_of(name), "model.head.kind=dense"])
    assert not changed.model.head.is_chosen
    assert settings_of(None) == []


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("model.head.layers=[]", "layers is for kind dense"),
        ("model.head.pooling=max", "pooling is for kind dense"),
        ("model.kind=finetune", "head.kind linear is for features that stand still"),
        ("model.head.kind=best", "'dense' or 'linear'"),
    ],
)
def test_what_does_not_go_together_says_so(setting, said, tmp_path):
    from storage.errors import ParameterError

    with pytest.raises(ParameterError, match=said):
        experiment_of(tree(tmp_path), [setting])
