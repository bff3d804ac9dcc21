"""A saved model, opened."""

import json
import shutil

import numpy as np
import pytest

from storage.errors import ParameterError, StorageDamaged
from tasks.classify.classifier import PICTURES_AT_A_TIME, Classifier
from tasks.pictures.decoding import decode
from tasks.pictures.resizing import resized
from tests.tasks.classify.conftest import CLASSES, coloured


def test_pictures_of_any_size_and_number_are_told_apart(classifier):
    kinds = [CLASSES[number % 3] for number in range(PICTURES_AT_A_TIME + 5)]
    shown = [decode(coloured(kind, (8 + n, 50 - n))) for n, kind in enumerate(kinds)]
    found = classifier.probabilities(shown)
    assert found.shape == (len(kinds), 3)
    assert found.dtype == np.float64
    assert [CLASSES[best] for best in found.argmax(axis=1)] == kinds
    assert found.sum(axis=1) == pytest.approx(1)


def test_no_pictures_give_no_rows(classifier):
    assert classifier.probabilities([]).shape == (0, 3)


def test_a_picture_resized_already_gives_the_same(classifier):
    shown = np.random.default_rng(0).integers(0, 256, (70, 50, 3), dtype=np.uint8)
    both = classifier.probabilities([shown, resized(shown, classifier.side)])
    assert np.array_equal(both[0], both[1])


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", b"\x89HDF\r\n\x1a\n"])
def test_a_damaged_model_is_named(model_folder, tmp_path, content):
    copy = shutil.copytree(model_folder, tmp_path / "copy")
    (copy / "model.keras").write_bytes(content)
    with pytest.raises(StorageDamaged, match=r"copy/model\.keras"):
        Classifier.open(copy / "model.keras")


@pytest.mark.parametrize("classes", ["{", '["ant", "bee"]', '{"ant": 1}', "3"])
def test_class_names_that_do_not_fit_are_named(model_folder, tmp_path, classes):
    copy = shutil.copytree(model_folder, tmp_path / "copy")
    (copy / "classes.json").write_text(classes)
    with pytest.raises(StorageDamaged, match=r"copy/classes\.json"):
        Classifier.open(copy / "model.keras")


def test_a_model_that_does_not_resize_is_not_ours(tmp_path):
    from tasks.running.tensorflow import load_keras

    keras = load_keras()
    pictures = keras.Input((8, 8, 3))
    out = keras.layers.Dense(2)(keras.layers.Flatten()(pictures))
    keras.Model(pictures, out).save(tmp_path / "model.keras")
    (tmp_path / "classes.json").write_text(json.dumps(["a", "b"]))
    with pytest.raises(ParameterError, match="which resizes pictures itself"):
        Classifier.open(tmp_path / "model.keras")
