"""Keras's batch normalisation, each batch in two passes over memory."""

from collections.abc import Callable, Iterator
from typing import Any

from tasks.running.tensorflow import load_keras, load_tensorflow

PICTURES = 4  # dimensions: (n, height, width, channels)


def fuse(model: Any) -> Any:
    """The same model, whose batch normalisations of pictures train in one kernel each.

    Keras writes the rule (Ioffe and Szegedy, 2015) as a dozen operations and as many again for the
    gradient, each of which goes over all of a layer's outputs: half of the time of a small network
    that normalises its first maps. TensorFlow's FusedBatchNormV3 computes the same. Layers keep
    their class, weights and config, and predict as before.
    """
    for layer in _layers(model):
        if type(layer) is load_keras().layers.BatchNormalization and _is_plain(layer):
            layer.call = _fused(layer)
    return model


def _layers(model: Any) -> Iterator[Any]:
    for layer in getattr(model, "layers", ()):
        yield layer
        yield from _layers(layer)


def _is_plain(layer: Any) -> bool:
    return layer.scale and layer.center and not layer.renorm and layer.axis in (-1, PICTURES - 1)


def _fused(layer: Any) -> Callable[..., Any]:
    tf = load_tensorflow()

    def call(inputs: Any, training: bool | None = None, mask: Any = None) -> Any:  # noqa: FBT001
        trains = training and layer.trainable and mask is None
        if not trains or len(inputs.shape) != PICTURES:
            return type(layer).call(layer, inputs, training=training, mask=mask)
        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs,
            scale=tf.cast(layer.gamma, tf.float32),
            offset=tf.cast(layer.beta, tf.float32),
            epsilon=layer.epsilon,
            is_training=True,
        )
        # The kernel divides by one less than the number of values, Keras by the number.
        count = tf.cast(tf.size(inputs) // inputs.shape[-1], tf.float32)
        variance *= (count - 1) / count
        for moving, batch in ((layer.moving_mean, mean), (layer.moving_variance, variance)):
            moving.assign(moving * layer.momentum + batch * (1 - layer.momentum))
        return tf.cast(outputs, layer.compute_dtype)

    return call
