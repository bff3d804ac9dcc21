"""The code named in a feature space is all the code that decides a feature."""

import sys
from pathlib import Path

import numpy as np
import pytest

from storage.images import ImageStore
from tasks.features import network, openvino_network
from tasks.features.backbone import DECIDING
from tasks.pictures import resizing, views
from tasks.pictures.parameters import Augmentation, Square
from tasks.running import code_fingerprint, openvino
from tasks.running.tensorflow import load_keras
from tests.pictures import picture

# These hold what is computed, run it, or say which network it is; the space names the rest.
ELSEWHERE = ("storage.", "tasks.running.")


def modules_run(work):
    """Modules of the project, any of whose functions run while `work` does."""
    found = set()

    def note(frame, event, _):
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(code_fingerprint.PROJECT):
            relative = path.relative_to(code_fingerprint.PROJECT).with_suffix("")
            found.add(".".join(relative.parts))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return {name for name in found if not name.startswith((*ELSEWHERE, "tests.", ".venv"))}


def covered(runtime="tensorflow"):
    """Modules whose code the name of a space holds."""
    found = set()
    for name in DECIDING[runtime]:
        found.update(code_fingerprint.modules_of(name))
    return found


@pytest.fixture
def stored(workspace):
    images = ImageStore(workspace.images)
    return images, images.add(picture(1))


def test_all_that_makes_pixels_of_a_picture_is_named(stored):
    images, name = stored
    changes = Augmentation(rotation=20, zoom=0.1)
    view = views.named(name, views.augmented(changes, 1, seed=3)[0])

    def load():
        pixels = resizing.load(images, name, Square(32))
        views.seen(pixels, view, changes)
        resizing.grey(views.seen(pixels, views.named(name, views.MIRROR), changes))

    ran = modules_run(load)
    assert "tasks.pictures.decoding" in ran
    assert ran <= covered()
    assert ran <= covered("openvino")


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch", "none", "rescale"])
def test_all_that_makes_features_of_pixels_is_named(mode):
    keras = load_keras()
    given = keras.Input((32, 32, 3))
    base = keras.Model(given, keras.layers.GlobalAveragePooling2D()(given))

    def compute():
        model = network.features_of(base, 32, mode)
        network.compiled(model)(np.zeros((1, 32, 32, 3), np.float32))

    assert modules_run(compute) <= covered()


def test_all_that_makes_features_in_openvino_is_named():
    def compute():
        network = openvino_network.lite("EfficientNetLite0", 32, "lite", None, None)
        ready = openvino.compiled(network, "float32", streams=1)
        openvino.one_by_one(ready)(np.zeros((32, 32, 3), np.float32))

    ran = modules_run(compute)
    assert "tasks.features.openvino_layers" in ran
    assert ran <= covered("openvino")


@pytest.mark.parametrize("step", ["extract", "train", "evaluate"])
def test_another_backbone_in_the_table_reruns_nothing(step):
    assert "flows.backbones" not in code_fingerprint.modules_of(f"tasks.{step}")
