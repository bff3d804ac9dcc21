"""The dense head that is trained on features."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from tasks.running.tensorflow import load_keras

# Names that Keras knows; a slip of the pen is found before any picture is read.
Activation = Literal[
    "relu", "gelu", "elu", "selu", "silu", "tanh", "sigmoid", "leaky_relu", "linear"
]  # fmt: skip


class DenseLayer(BaseModel):
    """One hidden layer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    units: PositiveInt
    activation: Activation = "relu"
    dropout: float = Field(0.0, ge=0, lt=1)


class Head(BaseModel):
    """From a feature map to probabilities: pooling, hidden layers, output."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pooling: Literal["flatten", "average", "max"] = Field(
        "average", description="How a feature map becomes a vector."
    )
    layers: tuple[DenseLayer, ...] = Field(
        (DenseLayer(units=256, dropout=0.5),),
        description="Hidden layers; dropout is the share of units left out in training.",
    )


def build_head(head: Head, shape: tuple[int, ...], classes: int) -> Any:
    """A Keras model from features of `shape` to probabilities.

    Two classes give one sigmoid output, the probability of the second, as the tutorials do; more
    give a softmax.
    """
    keras = load_keras()
    features = keras.Input(shape, name="features")
    return keras.Model(features, probabilities(head, as_stored(features), classes), name="head")


def as_stored(features: Any) -> Any:
    """Features are kept as float16: rounding here makes a model that computes them itself agree."""
    return load_keras().layers.Activation("linear", dtype="float16", name="as_stored")(features)


def probabilities(head: Head, x: Any, classes: int) -> Any:
    """The head's layers on the feature map `x`."""
    layers = load_keras().layers
    x = _pooled(x, head.pooling)
    # Layers have names of their own: Keras would number them on within a process, and the same head
    # would have another digest.
    for number, layer in enumerate(head.layers, 1):
        x = layers.Dense(layer.units, activation=layer.activation, name=f"dense_{number}")(x)
        if layer.dropout:
            x = layers.Dropout(layer.dropout, name=f"dropout_{number}")(x)
    if classes == 2:
        return layers.Dense(1, activation="sigmoid", name="probability")(x)
    return layers.Dense(classes, activation="softmax", name="probability")(x)


def _pooled(x: Any, pooling: str) -> Any:
    layers = load_keras().layers
    if pooling == "average":
        return layers.GlobalAveragePooling2D(name="pooling")(x)
    if pooling == "max":
        return layers.GlobalMaxPooling2D(name="pooling")(x)
    return layers.Flatten(name="pooling")(x)
