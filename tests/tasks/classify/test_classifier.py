"""A saved model, opened."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from storage.errors import ParameterError, StorageDamaged
from tasks.classify.classifier import PICTURES_AT_A_TIME, Classifier
from tasks.pictures.decoding import decode
from tasks.pictures.resizing import resized
from tests.project import PROJECT
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
    both = classifier.probabilities([shown, resized(shown, classifier.square)])
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


def test_its_openvino_form_says_what_keras_says(classifier, folder_with_form):
    quick = Classifier.open(folder_with_form / "model.keras")
    shown = [decode(coloured(CLASSES[n % 3], (8 + n, 50 - n))) for n in range(40)]
    assert quick.probabilities(shown) == pytest.approx(classifier.probabilities(shown), abs=1e-5)
    assert quick.probabilities([]).shape == (0, 3)
    assert (quick.square, quick.classes, quick.remark) == (
        classifier.square,
        classifier.classes,
        "",
    )


def test_a_form_that_cannot_be_used_is_told_and_keras_answers(folder_with_form, tmp_path):
    copy = shutil.copytree(folder_with_form, tmp_path / "copy")
    (copy / "model.bin").write_bytes(b"")
    found = Classifier.open(copy / "model.keras")
    assert found.remark.startswith("TensorFlow computes: model.xml cannot be used: ")
    assert found.probabilities([decode(coloured("bee"))]).argmax() == 1


LIGHT = """
import sys
from flows.command.app import main
main(["classify", *sys.argv[1:]])
heavy = {"tensorflow", "keras", "prefect", "pandas", "pyarrow", "sklearn"} & set(sys.modules)
assert not heavy, heavy
"""


def test_one_picture_is_classified_without_tensorflow(folder_with_form, tmp_path):
    (tmp_path / "x.png").write_bytes(coloured("müller"))
    done = subprocess.run(
        [sys.executable, "-c", LIGHT, str(folder_with_form), str(tmp_path / "x.png")],
        cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "müller: " in done.stdout
