"""The fused Adam is Keras's Adam."""

import numpy as np
import pytest

from tasks.running.tensorflow import load_keras
from tasks.train.keras_parts.fused_adam import fused_adam
from tasks.train.randomness import start_from

RNG = np.random.default_rng(1)
FEATURES = RNG.normal(size=(64, 12)).astype(np.float32)
LABELS = RNG.integers(0, 2, 64)


def trained(optimizer):
    keras = load_keras()
    start_from(1)
    model = keras.Sequential(
        [keras.Input((12,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(1, "sigmoid")]
    )
    model.compile(optimizer=optimizer, loss="binary_crossentropy", jit_compile=False)
    model.fit(FEATURES, LABELS, batch_size=16, epochs=10, shuffle=False, verbose=0)
    return model


@pytest.mark.parametrize("scheduled", [False, True])
def test_weights_and_moments_are_those_of_keras(scheduled):
    optimizers = load_keras().optimizers
    rate = optimizers.schedules.CosineDecay(0.01, 40) if scheduled else 0.01
    ours, theirs = trained(fused_adam()(rate)), trained(optimizers.Adam(rate))
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-6)
    for mine, other in zip(ours.optimizer.variables, theirs.optimizer.variables, strict=True):
        np.testing.assert_allclose(mine.numpy(), other.numpy(), rtol=1e-3, atol=1e-7)


def test_one_operation_steps_a_weight():
    keras = load_keras()
    weight = keras.Variable(np.ones(4, np.float32))
    optimizer = fused_adam()(0.1)
    optimizer.build([weight])
    import tensorflow as tf

    graph = tf.function(lambda gradient: optimizer.apply([gradient])).get_concrete_function(
        tf.TensorSpec((4,), tf.float32)
    )
    over_weights = [
        op.type for op in graph.graph.get_operations() if op.type.startswith("Resource")
    ]
    assert over_weights == ["ResourceApplyAdam"]
