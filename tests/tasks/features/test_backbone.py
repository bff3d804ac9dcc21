"""From pixels to features: the same as Keras's own preprocessing, resizing and network."""

import importlib

import numpy as np
import pytest

from flows.backbones import LITE, MODES, mode_of
from storage.errors import ParameterError, WeightsMissing
from tasks.features import efficientnet_lite, precision
from tasks.features.backbone import Backbone
from tasks.pictures.parameters import Square
from tasks.pictures.preprocessing import preprocess
from tasks.pictures.resizing import resized
from tasks.running.tensorflow import load_keras

MODULES = {"VGG16": "vgg16", "VGG19": "vgg19", "ResNet50": "resnet", "Xception": "xception",
           "InceptionV3": "inception_v3", "MobileNet": "mobilenet", "DenseNet121": "densenet",
           "EfficientNetB0": "efficientnet"}  # fmt: skip


def pixels(count=2, side=32):
    return np.random.default_rng(5).uniform(0, 255, (count, side, side, 3)).astype(np.float32)


def preprocessed(backbone, preprocessing, values):
    keras = load_keras()
    given = keras.Input(values.shape[1:])
    model = keras.Model(given, preprocess(given, mode_of(backbone, preprocessing)))
    return np.asarray(model(values))


@pytest.mark.parametrize("backbone", MODULES)
def test_imagenet_preprocessing_is_that_of_keras_applications(backbone):
    values = pixels()
    module = importlib.import_module(f"keras.applications.{MODULES[backbone]}")
    theirs = module.preprocess_input(values.copy())
    assert preprocessed(backbone, "imagenet", values) == pytest.approx(theirs, abs=1e-4)


def test_rescaling_divides_by_255():
    values = pixels()
    assert preprocessed("VGG16", "rescale", values) == pytest.approx(values / 255, abs=1e-6)


def test_every_backbone_is_lite_or_in_keras_applications():
    applications = load_keras().applications
    others = [name for name in MODES if not hasattr(applications, name)]
    assert others == list(LITE) == list(efficientnet_lite.SIZES)
    assert list(LITE.values()) == [size.side for size in efficientnet_lite.SIZES.values()]


@pytest.mark.parametrize("resize", ["squash", "pad", "crop"])
@pytest.mark.parametrize("size", [(375, 500), (40, 30), (64, 64), (51, 34), (9, 200), (33, 32)])
def test_pictures_are_resized_as_keras_does(size, resize):
    picture = np.random.default_rng(3).integers(0, 256, (*size, 3), dtype=np.uint8)
    keras = load_keras()
    layer = keras.layers.Resizing(
        48, 48, pad_to_aspect_ratio=resize == "pad", crop_to_aspect_ratio=resize == "crop"
    )
    theirs = np.asarray(layer(picture[None].astype(np.float32)))[0]
    assert np.abs(resized(picture, Square(48, resize)) - theirs).max() < 0.01


def test_features_are_those_of_keras_vgg16():
    backbone = Backbone("VGG16", 32, "caffe", "float32")
    model = backbone.build()
    keras = load_keras()
    base = keras.applications.VGG16(weights=None, include_top=False, input_shape=(32, 32, 3))
    base.set_weights(model.get_weights())
    values = pixels()
    theirs = base(keras.applications.vgg16.preprocess_input(values.copy()), training=False)
    assert np.asarray(model(values)) == pytest.approx(np.asarray(theirs), rel=1e-3, abs=1e-3)


def test_a_layer_in_between_gives_its_own_feature_space():
    whole = Backbone("VGG16", 32, "caffe", "float32")
    inner = Backbone("VGG16", 32, "caffe", "float32", layer="block4_pool")
    spaces = [one.space(one.build().output_shape[1:]) for one in (whole, inner)]
    assert [space.shape for space in spaces] == [(1, 1, 512), (2, 2, 512)]
    assert spaces[0].name != spaces[1].name


@pytest.mark.parametrize("layer", ["block4_pool", "block5_conv2"])
def test_the_layers_above_a_cut_go_on_where_it_stops(layer):
    whole = Backbone("VGG16", 32, "caffe", "float32")
    below = Backbone("VGG16", 32, "caffe", "float32", layer=layer)
    values = pixels()
    features = np.asarray(below.build()(values))
    there = np.asarray(below.above()(features))
    assert there == pytest.approx(np.asarray(whole.build()(values)), rel=1e-3, abs=1e-3)


def test_the_layers_above_a_cut_have_the_same_names_every_time():
    backbone = Backbone("VGG16", 32, "caffe", "float32", layer="block4_pool")
    assert backbone.above().get_config() == backbone.above().get_config()


def test_an_unknown_layer_is_named_with_those_there_are():
    with pytest.raises(ParameterError, match="block5_pool"):
        Backbone("VGG16", 32, "caffe", "float32", layer="block9").build()


def test_weights_for_another_backbone_are_refused(tmp_path):
    with pytest.raises(
        ParameterError, match="is for VGG16 and EfficientNetLite, found it with VGG19"
    ):
        Backbone("VGG19", 32, "caffe", "float32", weights=tmp_path).build()


def test_a_backbone_that_cannot_be_downloaded_is_missing(monkeypatch):
    def no_network(**_):
        raise OSError("no route to host")

    monkeypatch.setattr(load_keras().applications, "VGG19", no_network)
    with pytest.raises(WeightsMissing, match="no route to host"):
        Backbone("VGG19", 32, "caffe", "float32").build()


@pytest.mark.parametrize(
    ("flags", "expected"),
    [("sse avx2", "float32"), ("avx512f amx_bf16", "bfloat16"), ("avx512_bf16", "bfloat16")],
)
def test_auto_takes_bfloat16_where_the_cpu_multiplies_it(monkeypatch, tmp_path, flags, expected):
    info = tmp_path / "cpuinfo"
    info.write_text(f"processor : 0\nflags\t\t: {flags}\n")
    monkeypatch.setattr(precision, "cpu_flags", lambda: precision_flags(info))
    assert precision.resolve("auto") == expected
    assert precision.resolve("float32") == "float32"
    assert precision.resolve("bfloat16") == "bfloat16"


precision_flags = precision.cpu_flags
