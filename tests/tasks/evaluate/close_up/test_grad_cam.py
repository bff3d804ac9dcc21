"""Grad-CAM on networks that look at a spot in a corner: the heat must lie there."""

import numpy as np
import pytest

from tasks.evaluate.close_up.grad_cam import ROWS_AT_A_TIME, heat_maps
from tasks.running.tensorflow import load_keras
from tests.tasks.evaluate import networks

BRIGHT, DARK = 250, 5
SHAPE = (networks.SIDE, networks.SIDE, 3)


def heat_of(model, pictures, predicted, shape=SHAPE):
    rows = np.stack([one.reshape(-1) for one in pictures])
    return heat_maps(
        model, lambda places: rows[places], np.arange(len(rows)), np.array(predicted), shape
    )


def quarters(heat):
    """Share of the heat in each corner of the picture."""
    half = len(heat) // 2
    halves = slice(None, half), slice(half, None)
    parts = {name: heat[halves[down], halves[right]].sum(dtype=float)
             for name, (down, right) in networks.CORNERS.items()}  # fmt: skip
    return {name: part / max(1, heat.sum(dtype=float)) for name, part in parts.items()}


@pytest.mark.parametrize("corner", networks.CORNERS)
@pytest.mark.parametrize(("brightness", "predicted"), [(BRIGHT, 1), (DARK, 0)])
@pytest.mark.parametrize("options", [{}, {"sigmoid": False}, {"nested": True}])
def test_the_heat_lies_where_the_spot_is(corner, brightness, predicted, options):
    model = networks.spot_finder(**options)
    (heat,) = heat_of(model, [networks.spotted(corner, brightness)], [predicted])
    assert heat.dtype == np.uint8
    assert heat.max() == 255
    assert quarters(heat)[corner] > 0.99


@pytest.mark.parametrize("sigmoid", [True, False])
def test_a_model_that_is_wholly_sure_has_its_heat_too(sigmoid):
    model = networks.spot_finder(sigmoid=sigmoid, sharpness=1e6)
    picture = networks.spotted("lower left", BRIGHT)
    said = np.asarray(model(picture[None].astype("float32")))[0, -1]
    assert said == 1.0
    (heat,) = heat_of(model, [picture], [1])
    assert quarters(heat)["lower left"] > 0.99
    again = np.asarray(model(picture[None].astype("float32")))[0, -1]
    assert again == said, "the network is left as it was"


def test_what_speaks_against_the_class_is_no_heat():
    (heat,) = heat_of(networks.spot_finder(), [networks.spotted("upper left", DARK)], [1])
    assert heat.max() == 0


def test_many_pictures_have_each_their_own_heat():
    corners = [name for name in networks.CORNERS for _ in range(ROWS_AT_A_TIME)]
    pictures = [networks.spotted(corner, BRIGHT) for corner in corners]
    found = heat_of(networks.spot_finder(), pictures, [1] * len(pictures))
    assert [max(shares, key=shares.get) for shares in map(quarters, found)] == corners


@pytest.mark.parametrize("stored", [True, False])
def test_a_head_is_explained_by_its_features(stored):
    """With average pooling the gradient of a map is its weight: the paper reduces to CAM."""
    keras = load_keras()
    layers = keras.layers
    given = keras.Input((3, 3, 4))
    maps = (
        layers.Activation("linear", dtype="float16", name="as_stored")(given) if stored else given
    )
    pooled = layers.GlobalAveragePooling2D()(maps)
    last = layers.Dense(3, activation="softmax")
    model = keras.Model(given, last(pooled))
    generator = np.random.default_rng(1)
    weights = generator.normal(size=(4, 3)).astype(np.float32)
    last.set_weights([weights, np.zeros(3)])
    features = generator.random((5, 3, 3, 4)).astype(np.float16)
    predicted = np.array([0, 1, 2, 0, 1])
    found = heat_of(model, features, predicted, (3, 3, 4))
    for heat, maps_, said in zip(found, features.astype(float), predicted, strict=True):
        expected = np.maximum(maps_ @ weights[:, said], 0)
        assert heat == pytest.approx(255 * expected / max(expected.max(), 1e-9), abs=1)


def test_large_maps_are_kept_small():
    keras = load_keras()
    given = keras.Input((200, 100, 3))
    x = keras.layers.Rescaling(1 / 255)(given)
    out = keras.layers.Dense(2, activation="softmax")(keras.layers.GlobalMaxPooling2D()(x))
    picture = np.random.default_rng(1).integers(0, 255, (200, 100, 3), np.uint8)
    (heat,) = heat_of(keras.Model(given, out), [picture], [0], (200, 100, 3))
    assert heat.shape == (64, 32)


def test_features_without_a_place_have_no_heat():
    assert heat_of(None, [np.zeros(7)], [0], (7,)) is None
