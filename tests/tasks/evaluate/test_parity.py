"""OpenVINO's form held against the evaluation."""

import json

import pandas as pd
import pytest

from storage.folders import MODEL
from storage.images import ImageStore
from tasks.classify.classifier import Classifier
from tasks.evaluate import parity
from tasks.evaluate.parity import Parity
from tasks.pictures.decoding import decode
from tasks.publish.page.reproducing import agreement
from tests.tasks.classify.conftest import CLASSES, coloured, folder_with_form, model_folder

__all__ = ["folder_with_form", "model_folder"]


@pytest.fixture
def predictions(workspace, folder_with_form):
    """What the model's Keras form says of 30 pictures, as an evaluation keeps it."""
    store = ImageStore(workspace.images)
    data = [coloured(CLASSES[n % 3], (9 + n, 12)) for n in range(30)]
    model = Classifier.open(folder_with_form / MODEL)
    rows = model.probabilities([decode(one) for one in data])
    return pd.DataFrame(
        {"image": [store.add(one) for one in data],
         "split": ["train"] * 10 + ["test"] * 20,
         "label": [CLASSES[n % 3] for n in range(30)],
         **{f"probability_{name}": rows[:, place] for place, name in enumerate(CLASSES)}}
    )  # fmt: skip


def measured(workspace, folder, predictions):
    return parity.of(workspace, folder, predictions, "test", list(CLASSES))


def test_the_same_model_agrees(workspace, folder_with_form, predictions):
    found = measured(workspace, folder_with_form, predictions)
    assert (found.pictures, found.equal, found.precision) == (20, 20, "float32")
    assert found.largest < 1e-6


def test_another_answer_is_counted_and_its_distance_told(workspace, folder_with_form, predictions):
    names = [f"probability_{name}" for name in CLASSES]
    predictions.loc[15, names] = predictions.loc[15, names[1:] + names[:1]].to_numpy()
    predictions.loc[2, names] = [0.0, 0.0, 1.0]  # of another split
    found = measured(workspace, folder_with_form, predictions)
    assert (found.pictures, found.equal) == (20, 19)
    assert found.largest > 0.1
    assert "Of 20 test pictures 19 (95.0%) get the answer of this page" in agreement(found, "test")


def test_of_many_pictures_some_are_taken_evenly(
    workspace, folder_with_form, predictions, monkeypatch
):
    monkeypatch.setattr(parity, "MOST_PICTURES", 5)
    asked = []
    load = parity.resizing.load
    monkeypatch.setattr(
        parity.resizing, "load", lambda images, name, side: asked.append(name)
        or load(images, name, side),
    )  # fmt: skip
    assert measured(workspace, folder_with_form, predictions).pictures == 5
    assert set(asked) == set(predictions["image"].iloc[[10, 15, 20, 24, 29]])


def test_without_a_form_the_page_says_so(workspace, model_folder, predictions, tmp_path):
    found = measured(workspace, model_folder, predictions)
    assert found == Parity()
    assert "has no OpenVINO form" in agreement(found, "test")
    parity.save(tmp_path, found)
    assert parity.load(tmp_path) == found
    assert json.loads((tmp_path / "parity.json").read_text())["pictures"] == 0


def test_an_evaluation_of_before_says_nothing(tmp_path):
    assert parity.load(tmp_path) is None
    assert agreement(None, "test") == ""
