"""A real Keras model that can be reasoned about: it tells pictures by their strongest colour."""

import io
import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

CLASSES = ("ant", "bee", "müller")
COLOURS = {"ant": (200, 40, 40), "bee": (40, 200, 40), "müller": (40, 40, 200)}


def coloured(name: str, size=(40, 30)) -> bytes:
    """A PNG that the model takes for the class `name`."""
    buffer = io.BytesIO()
    Image.new("RGB", size, COLOURS[name]).save(buffer, "PNG")
    return buffer.getvalue()


def save_model(folder: Path) -> Path:
    """`folder` as a training leaves it: red is an ant, green a bee, blue a müller."""
    import numpy as np

    from tasks.running.tensorflow import load_keras

    keras = load_keras()
    pictures = keras.Input((None, None, 3))
    small = keras.ops.image.resize(pictures, (8, 8))
    dense = keras.layers.Dense(3, activation="softmax")
    network = keras.Model(
        pictures, dense(keras.layers.Rescaling(0.02)(keras.layers.GlobalAveragePooling2D()(small)))
    )
    dense.set_weights([np.eye(3, dtype="float32"), np.zeros(3, "float32")])
    network.save(folder / "model.keras")
    (folder / "classes.json").write_text(json.dumps(CLASSES))
    return folder


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory) -> Path:
    """A model that can be opened."""
    return save_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def folder_with_form(model_folder, tmp_path_factory) -> Path:
    """The same model, with its OpenVINO form beside it."""
    from tasks.pictures.parameters import Square
    from tasks.running.tensorflow import load_keras
    from tasks.train.model_folder import openvino_form

    folder = shutil.copytree(model_folder, tmp_path_factory.mktemp("form") / "model")
    network = load_keras().saving.load_model(folder / "model.keras")
    openvino_form.save(network, folder / "model.keras", Square(8), "float32")
    return folder


@pytest.fixture(scope="session")
def classifier(model_folder):
    from tasks.classify.classifier import Classifier

    return Classifier.open(model_folder / "model.keras")
