"""The fused batch normalisation is Keras's."""

import numpy as np
import pytest

from tasks.features.network import precision_policy
from tasks.running.tensorflow import load_keras
from tasks.train.keras_parts.batch_normalisation import fuse
from tasks.train.randomness import start_from

RNG = np.random.default_rng(1)
PICTURES = RNG.normal(2.0, 3.0, size=(64, 6, 6, 3)).astype(np.float32)
LABELS = RNG.integers(0, 2, 64)


def network(**options):
    keras = load_keras()
    start_from(1)
    pictures = keras.Input((6, 6, 3))
    x = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(pictures)
    x = keras.layers.BatchNormalization(momentum=0.9, **options)(x)
    x = keras.layers.Flatten()(x)
    x = keras.layers.BatchNormalization()(x)
    return keras.Model(pictures, keras.layers.Dense(1, activation="sigmoid")(x))


def trained(model):
    model.compile(optimizer="sgd", loss="binary_crossentropy", jit_compile=False)
    model.fit(PICTURES, LABELS, batch_size=16, epochs=5, shuffle=False, verbose=0)
    return model


def inside(model):
    """The model as a layer of another, as tuned layers of a backbone are."""
    keras = load_keras()
    pictures = keras.Input((6, 6, 3))
    return keras.Model(pictures, model(pictures))


def operations(model):
    import tensorflow as tf

    graph = tf.function(lambda x: model(x, training=True)).get_concrete_function(
        tf.TensorSpec((None, 6, 6, 3))
    )
    return [operation.type for operation in graph.graph.get_operations()]


@pytest.mark.parametrize("wrapped", [False, True])
def test_weights_and_statistics_are_those_of_keras(wrapped):
    ours, theirs = network(), network()
    trained(fuse(inside(ours) if wrapped else ours))
    trained(inside(theirs) if wrapped else theirs)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=2e-4, atol=1e-5)


def test_bfloat16_pictures_are_normalised_as_by_keras():
    with precision_policy("bfloat16"):
        ours, theirs = fuse(network()), network()
    mine, others = (np.array(model(PICTURES, training=True)) for model in (ours, theirs))
    np.testing.assert_allclose(mine, others, atol=0.02)  # three digits are bfloat16's
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


def test_one_operation_normalises_a_batch_of_pictures():
    assert operations(network()).count("FusedBatchNormV3") == 0
    assert operations(fuse(network())).count("FusedBatchNormV3") == 1  # the other is of vectors


def test_frozen_statistics_stay_and_are_used():
    model = fuse(network())
    layer = next(layer for layer in model.layers if "batch_normalization" in layer.name)
    layer.trainable = False
    before = layer.get_weights()
    assert "FusedBatchNormV3" not in operations(model)
    trained(model)
    for mine, other in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize("options", [{"scale": False}, {"center": False}, {"axis": 1}])
def test_other_kinds_are_left_to_keras(options):
    assert "FusedBatchNormV3" not in operations(fuse(network(**options)))


def test_a_saved_model_is_keras_own(tmp_path):
    model = trained(fuse(network()))
    model.save(tmp_path / "model.keras")
    again = load_keras().saving.load_model(tmp_path / "model.keras")
    assert [type(layer) for layer in again.layers] == [type(layer) for layer in model.layers]
    np.testing.assert_array_equal(again.predict(PICTURES), model.predict(PICTURES))
