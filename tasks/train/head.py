"""The dense head that is trained on features."""

from typing import Any

from tasks.running.tensorflow import load_keras
from tasks.train.parameters import Head


def build_head(head: Head, shape: tuple[int, ...], classes: int) -> Any:
    """A Keras model from features of `shape` to probabilities.

    Two classes give one sigmoid output, the probability of the second, as the tutorials do; more
    give a softmax.
    """
    keras = load_keras()
    features = keras.Input(shape, name="features")
    return keras.Model(features, probabilities(head, as_stored(features), classes), name="head")


def build_pooled_head(head: Head, channels: int, classes: int) -> Any:
    """The same layers on maps that are pooled already: (n, channels) float32 to probabilities."""
    keras = load_keras()
    pooled = keras.Input((channels,), name="pooled")
    return keras.Model(pooled, after_pooling(head, pooled, classes), name="pooled_head")


def as_stored(features: Any) -> Any:
    """Features are kept as float16: rounding here makes a model that computes them itself agree."""
    return load_keras().layers.Activation("linear", dtype="float16", name="as_stored")(features)


def probabilities(head: Head, x: Any, classes: int) -> Any:
    """The head's layers on the feature map `x`."""
    return after_pooling(head, pooled(x, head.pooling), classes)


def after_pooling(head: Head, x: Any, classes: int) -> Any:
    """The head's layers on the vector `x`."""
    layers = load_keras().layers
    # Layers have names of their own: Keras would number them on within a process, and the same head
    # would have another digest.
    for number, layer in enumerate(head.layers, 1):
        x = layers.Dense(layer.units, activation=layer.activation, name=f"dense_{number}")(x)
        if layer.dropout:
            x = layers.Dropout(layer.dropout, name=f"dropout_{number}")(x)
    if classes == 2:
        return layers.Dense(1, activation="sigmoid", name="probability")(x)
    return layers.Dense(classes, activation="softmax", name="probability")(x)


def pooled(x: Any, pooling: str, name: str = "pooling") -> Any:
    """The feature map `x` as a vector; averages that were joined are one."""
    layers = load_keras().layers
    if len(x.shape) == 2:
        return x
    if pooling == "average":
        return layers.GlobalAveragePooling2D(name=name)(x)
    if pooling == "max":
        return layers.GlobalMaxPooling2D(name=name)(x)
    return layers.Flatten(name=name)(x)
