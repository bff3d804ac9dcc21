"""OpenVINO: the same network as Keras's, layer by layer; TensorFlow where it cannot be used."""

import builtins
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.datasets import load_sample_image

from flows.parameters import Features
from storage.errors import MissingLibrary, ParameterError
from tasks.features import efficientnet_lite
from tasks.features.backbone import Backbone
from tasks.pictures.parameters import Square
from tasks.pictures.resizing import resized
from tasks.running import openvino
from tasks.running.tensorflow import load_keras

SIDE = 64
# Of a value below 8 to float16, as features are kept.
ROUNDING = 0.004
NAMES = list(efficientnet_lite.SIZES)


def of(name="EfficientNetLite0", precision="float32", runtime="openvino", mode="lite", **more):
    return Backbone(name, SIDE, mode, precision, runtime=runtime, **more)


@pytest.fixture(scope="module")
def pixels():
    whole = [load_sample_image(name) for name in ("china.jpg", "flower.jpg")]
    corners = [one[top : top + 240, left : left + 320] for one in whole for top in (0, 180)
               for left in (0, 160, 320)]  # fmt: skip
    return np.stack([resized(one, Square(SIDE)) for one in [*whole, *corners]])


def cosines(one, other):
    one, other = (values.reshape(len(values), -1).astype(float) for values in (one, other))
    return (one * other).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)


def computed(backbone, pixels):
    prepared = backbone.prepare(2)
    assert prepared.remark == ""
    return prepared.batch(np.stack([prepared.each(one) for one in pixels])).astype(np.float32)


@pytest.mark.parametrize("name", NAMES)
def test_in_float32_it_gives_what_keras_gives(name, pixels):
    ours, theirs = computed(of(name), pixels), np.asarray(of(name).build()(pixels))
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() < ROUNDING
    assert cosines(ours, theirs).min() >= 0.9999


@pytest.mark.parametrize(
    "layer", ["stem_convolution", "stem_active", "block1_depthwise_active", "block2_sum",
              "block5_project_normal", "block10_sum", "head_normal"],
)  # fmt: skip
def test_layer_by_layer_it_is_the_same_network(layer, pixels):
    ours = computed(of(layer=layer), pixels)
    theirs = np.asarray(of(layer=layer).build()(pixels))
    assert np.abs(ours - theirs).max() < ROUNDING * max(1, np.abs(theirs).max())


def test_rescaled_pixels_are_seen_as_keras_shows_them(pixels):
    ours = computed(of(mode="rescale"), pixels)
    assert np.abs(ours - np.asarray(of(mode="rescale").build()(pixels))).max() < ROUNDING


def test_in_bfloat16_the_averages_point_the_same_way(pixels):
    ours, theirs = (computed(of(precision=one), pixels) for one in ("bfloat16", "float32"))
    found = cosines(ours.mean(axis=(1, 2)), theirs.mean(axis=(1, 2)))
    assert found.min() > 0.98
    assert np.median(found) > 0.99


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_network_of_keras_is_converted(precision, pixels, monkeypatch):
    """Without its weights, which would need a download."""
    applications = load_keras().applications
    real = applications.MobileNet
    monkeypatch.setattr(
        applications, "MobileNet", lambda weights, **told: real(weights=None, **told)
    )
    keras = Backbone("MobileNet", SIDE, "tf", "float32").build()
    network = openvino.of_keras(keras, (1, SIDE, SIDE, 3))
    compute = openvino.one_by_one(openvino.compiled(network, precision, streams=1))
    # Too small for float16, as features of a network are whose first weights these are.
    ours, theirs = np.stack([compute(one) for one in pixels]), np.asarray(keras(pixels))
    assert cosines(ours, theirs).min() > (0.9999 if precision == "float32" else 0.98)


def test_runtime_and_precision_are_part_of_the_space():
    spaces = [
        of(runtime=runtime, precision=precision).space((2, 2, 1280))
        for runtime in ("openvino", "tensorflow") for precision in ("float32", "bfloat16")
    ]  # fmt: skip
    assert len({space.name for space in spaces}) == 4
    assert "openvino-bfloat16" in spaces[1].name
    assert "openvino" not in spaces[3].name


def test_a_layer_that_is_none_is_named_before_any_picture():
    with pytest.raises(ParameterError, match=r"no layer 'block99_sum': expected one of stem_conv"):
        of(layer="block99_sum").prepare()


def test_auto_is_openvino_for_the_light_networks_alone():
    told = [Features(backbone=name).extraction().runtime for name in (*NAMES, "VGG16", "ResNet50")]
    assert told == ["openvino"] * 3 + ["tensorflow"] * 2
    assert Features(backbone="VGG16", runtime="openvino").extraction().runtime == "openvino"
    light = Features(backbone=NAMES[0], runtime="tensorflow").extraction()
    assert (light.runtime, light.precision) == ("tensorflow", "float32")


@pytest.fixture
def without_openvino(monkeypatch):
    """As where its wheel is not installed."""
    real = builtins.__import__

    def refused(name, *rest):
        if name == "openvino":
            raise ImportError("No module named 'openvino'")
        return real(name, *rest)

    openvino.load_openvino.cache_clear()
    openvino.core.cache_clear()
    monkeypatch.setattr(builtins, "__import__", refused)
    yield
    openvino.load_openvino.cache_clear()


def test_where_openvino_is_missing_tensorflow_takes_over_in_its_own_space(without_openvino, pixels):
    prepared = of().prepare(2)
    assert prepared.remark.startswith("TensorFlow computed the features: OpenVINO cannot be used")
    assert "pip install openvino" in prepared.remark
    assert (prepared.space.runtime, prepared.space.precision) == ("tensorflow", "float32")
    found = prepared.batch(np.stack([prepared.each(one) for one in pixels]))
    assert cosines(found.astype(np.float32), np.asarray(of().build()(pixels))).min() > 0.9999


def test_one_that_is_too_old_is_not_used(monkeypatch):
    monkeypatch.setattr("openvino.__version__", "2023.1.0-12185")
    openvino.load_openvino.cache_clear()
    with pytest.raises(MissingLibrary, match=r"OpenVINO 2025 or later, found 2023\.1\.0-12185"):
        openvino.load_openvino()
    openvino.load_openvino.cache_clear()


def test_a_network_that_cannot_be_compiled_is_tensorflows(monkeypatch):
    class Broken:
        def compile_model(self, *_):
            raise RuntimeError("no AVX2\nat 0x00")

    monkeypatch.setattr(openvino, "core", Broken)
    remark = of().prepare().remark
    assert "OpenVINO cannot compile the network for this processor (no AVX2)" in remark


def test_a_layer_that_it_does_not_know_is_a_reason_for_tensorflow(monkeypatch):
    def unknown(_path):
        raise RuntimeError("No conversion rule for Bessel\nat 0x00")

    monkeypatch.setattr(openvino, "core", lambda: SimpleNamespace(read_model=unknown))
    keras = load_keras()
    given = keras.Input((4, 4, 3))
    model = keras.Model(given, keras.layers.Flatten()(given), name="strange")
    with pytest.raises(
        MissingLibrary, match=r"read the network strange \(No conversion rule for B"
    ):
        openvino.of_keras(model, (1, 4, 4, 3))
