"""The form that lies beside `model.keras`: the same answers, and never those of another model."""

import shutil

import numpy as np
import pytest

from storage.folders import MODEL, OPENVINO, OPENVINO_WEIGHTS
from tasks.features.backbone import Backbone
from tasks.pictures.parameters import Square
from tasks.running import openvino
from tasks.running.tensorflow import load_keras
from tasks.train.head import build_head
from tasks.train.model_folder import openvino_form
from tasks.train.model_folder.export import whole_model
from tasks.train.networks import NETWORKS, build_network
from tasks.train.parameters import Head, Network
from tests.tasks.train.model_folder.test_saving import SIDE, saved

SIDES = {"lenet5": (32, 1), "alexnet": (67, 3), "baseline_convnet": (46, 3)}


@pytest.fixture(scope="module")
def backbone():
    return Backbone("EfficientNetLite0", 64, "lite", "float32").build()


def pictures(side, count=3):
    return np.random.default_rng(1).uniform(0, 255, (count, side, side, 3)).astype(np.float32)


def answers(file, side, precision="float32"):
    form = openvino_form.load(file, 2)
    assert (form.square, form.precision) == (Square(side), precision)
    return np.stack([form.compute(one) for one in pictures(side)])


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("classes", [2, 3])
def test_a_head_on_a_backbone_says_the_same(backbone, classes, mirrored, tmp_path):
    head = build_head(Head(), backbone.output_shape[1:], classes)
    whole = whole_model(backbone, head, Square(64), mirrored=mirrored)
    whole.save(tmp_path / MODEL)
    openvino_form.save(whole, tmp_path / MODEL, Square(64), "float32")
    assert answers(tmp_path / MODEL, 64) == pytest.approx(np.asarray(whole(pictures(64))), abs=1e-3)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_networks_from_scratch_say_the_same(name, precision, tmp_path):
    side, channels = SIDES.get(name, (32, 3))
    network = Network(network=name, precision=precision, local_response_normalisation=True)
    from storage.features import PIXELS, FeatureSpace
    from tasks.train.model_folder.export import features_of

    space = FeatureSpace(
        backbone=PIXELS, weights="", layer="last", image_size=side, resizing="",
        preprocessing="none", precision="uint8", shape=(side, side, channels),
    )  # fmt: skip
    trained = build_network(network, space.shape, 3)
    whole = whole_model(features_of(space), trained, Square(side))
    whole.save(tmp_path / MODEL)
    policies = [layer.dtype_policy.name for layer in trained.layers]
    openvino_form.save(whole, tmp_path / MODEL, Square(side), "float32")
    assert [layer.dtype_policy.name for layer in trained.layers] == policies
    assert answers(tmp_path / MODEL, side) == pytest.approx(
        np.asarray(whole(pictures(side))), abs=1e-3 if precision == "float32" else 0.03
    )


def test_it_computes_in_bfloat16_where_the_processor_multiplies_that(
    backbone, tmp_path, monkeypatch
):
    whole = whole_model(backbone, build_head(Head(), backbone.output_shape[1:], 2), Square(64))
    whole.save(tmp_path / MODEL)
    openvino_form.save(whole, tmp_path / MODEL, Square(64), "bfloat16")
    for native in ("bfloat16", "float32"):
        monkeypatch.setattr(openvino_form, "resolve", lambda _, native=native: native)
        assert answers(tmp_path / MODEL, 64, native) == pytest.approx(
            np.asarray(whole(pictures(64))), abs=0.1
        )


def test_every_saved_model_has_its_form(workspace):
    folder, _ = saved(workspace)
    assert {OPENVINO, OPENVINO_WEIGHTS} <= {path.name for path in folder.iterdir()}
    whole = load_keras().saving.load_model(folder / MODEL)
    assert answers(folder / MODEL, SIDE) == pytest.approx(
        np.asarray(whole(pictures(SIDE))), abs=1e-4
    )


def test_without_openvino_there_is_none(workspace, monkeypatch):
    def missing():
        raise openvino.MissingLibrary("no openvino")

    monkeypatch.setattr(openvino, "core", missing)
    folder, _ = saved(workspace)
    assert not (folder / OPENVINO).exists()
    with pytest.raises(openvino_form.Unusable):
        openvino_form.load(folder / MODEL, 1)


def test_that_of_another_model_is_not_used(workspace, tmp_path):
    folder = shutil.copytree(saved(workspace)[0], tmp_path / "copy")
    other, _ = saved(workspace, classes=("a", "b", "c"))
    shutil.copy(other / MODEL, folder / MODEL)
    with pytest.raises(openvino_form.Unusable, match=r"model\.xml is of another model\.keras"):
        openvino_form.load(folder / MODEL, 1)


DAMAGE = {
    "no weights": lambda folder: (folder / OPENVINO_WEIGHTS).unlink(),
    "half the weights": lambda folder: cut(folder / OPENVINO_WEIGHTS),
    "empty weights": lambda folder: (folder / OPENVINO_WEIGHTS).write_bytes(b""),
    "half the layers": lambda folder: cut(folder / OPENVINO),
    "no layers": lambda folder: (folder / OPENVINO).write_bytes(b""),
    "another text": lambda folder: (folder / OPENVINO).write_text("<net/>"),
    "no XML": lambda folder: (folder / OPENVINO).write_bytes(b"\x00\xff" * 99),
}


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_one_is_not_used(damage, workspace, tmp_path):
    folder = shutil.copytree(saved(workspace)[0], tmp_path / "copy")
    DAMAGE[damage](folder)
    with pytest.raises(openvino_form.Unusable, match=r"model\.xml cannot be used: "):
        openvino_form.load(folder / MODEL, 1)
