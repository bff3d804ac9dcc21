import numpy as np
import pytest

from storage.errors import ParameterError
from tasks.evaluate.close_up.feature_maps import MOST_CHANNELS, MOST_SIDE, feature_maps
from tasks.running.tensorflow import load_keras
from tests.tasks.evaluate import networks


@pytest.fixture(scope="module")
def model():
    return networks.whole(networks.spot_finder())


@pytest.fixture(scope="module")
def picture():
    return np.random.default_rng(3).integers(0, 256, (40, 30, 3), np.uint8)


def resized(pixels):
    layers = load_keras().layers
    return layers.Resizing(networks.SIDE, networks.SIDE)(pixels[None].astype("float32"))


def as_shown(whole):
    """Each channel from its lowest value to its highest, those with most variance first."""
    order = np.argsort(-whole.var(axis=(0, 1)), kind="stable")
    low, high = whole.min(axis=(0, 1)), whole.max(axis=(0, 1))
    return order, np.moveaxis((whole - low) / np.maximum(high - low, 1e-9) * 255, 2, 0)[order]


def test_the_first_convolution_that_sees_shapes_is_shown(model, picture):
    found = feature_maps(model, None, picture)
    assert (found.layer, found.shape) == ("first", (networks.SIDE, networks.SIDE, 5))
    grey = np.asarray(model.get_layer("grey")(picture[None].astype("float32")))[0]
    inner = model.get_layer("backbone").get_layer("net")
    order, expected = as_shown(np.asarray(inner(resized(grey)))[0])
    assert found.channels == order.tolist()
    assert found.pixels == pytest.approx(expected, abs=1)
    assert found.pixels.dtype == np.uint8


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        ("grey", (40, 30, 3)),
        ("narrow", (networks.SIDE, networks.SIDE, 3)),
        ("spots", (networks.SIDE - 2, networks.SIDE - 2, 2)),
        ("halved", (networks.SIDE // 2 - 1, networks.SIDE // 2 - 1, 2)),
    ],
)
def test_layers_anywhere_in_the_model_can_be_chosen(model, picture, layer, shape):
    found = feature_maps(model, layer, picture)
    assert (found.layer, found.shape) == (layer, shape)
    assert len(found.pixels) == shape[2]


@pytest.mark.parametrize("name", ["nowhere", "everywhere", "probability", "net", "pictures", ""])
def test_a_layer_without_maps_is_an_error_that_names_those_there_are(model, picture, name):
    with pytest.raises(
        ParameterError, match=r"grey, resizing.*first, narrow, scaled, spots, halved"
    ):
        feature_maps(model, name, picture)


def test_a_model_that_also_sees_the_mirror_image_shows_the_picture_as_it_is(picture):
    trained = networks.spot_finder()
    model = networks.whole(trained, mirrored=True)
    found = feature_maps(model, "narrow", picture)
    plain = load_keras().Model(
        model.get_layer("backbone").input, model.get_layer("backbone").output
    )
    grey = np.asarray(model.get_layer("grey")(picture[None].astype("float32")))[0]
    _, expected = as_shown(np.asarray(plain(resized(grey)))[0])
    assert found.pixels == pytest.approx(expected, abs=1)


def test_of_many_large_channels_the_liveliest_are_kept_small():
    keras = load_keras()
    given = keras.Input((300, 200, 3))
    layer = keras.layers.Conv2D(50, 3, padding="same", name="many")
    model = keras.Model(given, layer(given))
    kernel, bias = layer.get_weights()
    kernel[..., 7] = 0
    kernel[..., 9] *= 100
    layer.set_weights([kernel, bias])
    found = feature_maps(model, "many", np.random.default_rng(1).integers(0, 256, (300, 200, 3)))
    assert found.shape == (300, 200, 50)
    assert len(found.channels) == MOST_CHANNELS
    assert found.channels[0] == 9
    assert 7 not in found.channels
    assert found.pixels.shape == (MOST_CHANNELS, MOST_SIDE, round(MOST_SIDE * 2 / 3))


def test_a_channel_that_is_the_same_everywhere_is_dark():
    keras = load_keras()
    given = keras.Input((4, 4, 3))
    model = keras.Model(given, keras.layers.Rescaling(0.0, name="nothing")(given))
    assert feature_maps(model, "nothing", np.ones((4, 4, 3))).pixels.max() == 0
    assert feature_maps(model, None, np.ones((4, 4, 3))) is None
