"""Layers of Keras, as efficientnet_lite.py asks for them."""

from typing import Any

from tasks.running.tensorflow import load_keras


class KerasLayers:
    """Each method gives a symbolic tensor; weights are set afterwards, in the calls' order."""

    def filters(self, x: Any) -> int:
        """How many channels `x` has."""
        return int(x.shape[-1])

    def convolved(self, x: Any, name: str, filters: int, kernel: int, stride: int) -> Any:
        """A convolution without a bias."""
        layers = load_keras().layers
        layer = layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False, name=name)
        return layer(x)

    def convolved_by_channel(self, x: Any, name: str, kernel: int, stride: int) -> Any:
        """Each channel by itself, without a bias."""
        layers = load_keras().layers
        layer = layers.DepthwiseConv2D(kernel, stride, padding="same", use_bias=False, name=name)
        return layer(x)

    def normal(self, x: Any, name: str, epsilon: float) -> Any:
        """Batch normalisation."""
        return load_keras().layers.BatchNormalization(epsilon=epsilon, name=name)(x)

    def active(self, x: Any, name: str) -> Any:
        """Cut off below 0 and above 6."""
        return load_keras().layers.ReLU(6.0, name=name)(x)

    def total(self, x: Any, y: Any, name: str) -> Any:
        """Of two tensors of the same shape."""
        return load_keras().layers.Add(name=name)([x, y])

    def logits(self, x: Any, classes: int) -> Any:
        """The averages of the channels, then a dense layer."""
        layers = load_keras().layers
        return layers.Dense(classes, name="logits")(
            layers.GlobalAveragePooling2D(name="average")(x)
        )
