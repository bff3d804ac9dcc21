import pytest

from storage import atomic
from storage.folders import CARD, CLASSES, MODEL
from tasks.classify.classifier import Classifier
from tasks.pictures.parameters import Square
from tasks.running.tensorflow import load_keras
from tasks.train.head import build_head
from tasks.train.model_folder.export import whole_model
from tasks.train.parameters import Head
from tasks.train.randomness import start_from
from tests.tasks.serve.running import CARD_TEXT, NAMES, SIDE, serving


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory):
    """A model as a training leaves it, less the pretrained weights."""
    keras = load_keras()
    start_from(7)
    folder = tmp_path_factory.mktemp("model")
    given = keras.Input((SIDE, SIDE, 3))
    pooled = keras.layers.AveragePooling2D(8)(keras.layers.Rescaling(1 / 255)(given))
    head = build_head(Head(), (4, 4, 3), len(NAMES))
    whole_model(keras.Model(given, pooled), head, Square(SIDE)).save(folder / MODEL)
    atomic.write_json(folder / CLASSES, NAMES)
    (folder / CARD).write_text(CARD_TEXT, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def classifier(model_folder):
    return Classifier.open(model_folder / MODEL)


@pytest.fixture
def served(classifier):
    with serving(classifier, max_bytes=2**20) as one:
        yield one
