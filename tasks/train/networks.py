"""Networks that are trained from scratch: each function can be held against what it was taken from.

All take (side, side, channels) pixels in [0, 255] and divide them by 255; `classes` is how many
there are. Layers have names of their own: Keras would number them on within a process, and the same
network would have another digest.
"""

from collections.abc import Callable
from typing import Any

from tasks.features.network import precision_policy
from tasks.running.tensorflow import load_keras
from tasks.train.parameters import Network


def smaller_vgg(pixels: Any, classes: int, _options: Network) -> Any:
    """SmallerVGGNet of the Pokedex tutorial, after Simonyan and Zisserman 2014; softmax."""
    layers = load_keras().layers
    x = _normalised(pixels, layers.Conv2D(32, 3, padding="same", name="conv_1"))
    x = layers.MaxPooling2D(3, name="pool_1")(x)
    x = layers.Dropout(0.25, name="dropout_1")(x)
    for block, filters in ((2, 64), (3, 128)):
        for number in (1, 2):
            name = f"conv_{block}_{number}"
            x = _normalised(x, layers.Conv2D(filters, 3, padding="same", name=name))
        x = layers.MaxPooling2D(2, name=f"pool_{block}")(x)
        x = layers.Dropout(0.25, name=f"dropout_{block}")(x)
    x = layers.Flatten(name="flatten")(x)
    x = _normalised(x, layers.Dense(1024, name="dense"))
    x = layers.Dropout(0.5, name="dropout_4")(x)
    return _softmax(x, classes)


def _normalised(x: Any, layer: Any) -> Any:
    """The layer, then ReLU, then batch normalisation, in the tutorial's order."""
    layers = load_keras().layers
    x = layers.Activation("relu", name=f"{layer.name}_relu")(layer(x))
    return layers.BatchNormalization(name=f"{layer.name}_normal")(x)


def small_convnet(pixels: Any, classes: int, options: Network) -> Any:
    """Three convolutions of the dogs-vs-cats tutorial, same padding; softmax, for two as well."""
    layers = load_keras().layers
    x = pixels
    for number, filters in enumerate((32, 32, 64), 1):
        name = f"conv_{number}"
        x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=name)(x)
        x = layers.MaxPooling2D(2, name=f"pool_{number}")(x)
    x = layers.Dropout(0.25, name="dropout_1")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(64, activation="relu", name="dense")(x)
    x = layers.Dropout(_or(options.dropout, 0.5), name="dropout_2")(x)
    return _softmax(x, classes)


def baseline_convnet(pixels: Any, classes: int, options: Network) -> Any:
    """Four convolutions of the 2,000-picture tutorial, valid padding; a sigmoid for two classes.

    3,453,121 parameters at 150 x 150 and two classes.
    """
    layers = load_keras().layers
    x = pixels
    for number, filters in enumerate((32, 64, 128, 128), 1):
        x = layers.Conv2D(filters, 3, activation="relu", name=f"conv_{number}")(x)
        x = layers.MaxPooling2D(2, name=f"pool_{number}")(x)
    x = layers.Flatten(name="flatten")(x)
    if options.dropout:
        x = layers.Dropout(options.dropout, name="dropout")(x)
    x = layers.Dense(512, activation="relu", name="dense")(x)
    return _sigmoid_or_softmax(x, classes)


def alexnet(pixels: Any, classes: int, options: Network) -> Any:
    """AlexNet (Krizhevsky, Sutskever and Hinton 2012) in one column, He's initial weights; softmax.

    The tutorial leaves out dropout and local response normalisation, which the paper has, and ends
    in a dense layer of 1,000 before the softmax: its options give the paper's.
    """
    layers = load_keras().layers
    he = {"kernel_initializer": "he_normal", "activation": "relu"}
    x = layers.Conv2D(96, 11, strides=4, name="conv_1", **he)(pixels)
    x = _respond(x, "1") if options.local_response_normalisation else x
    x = layers.MaxPooling2D(3, strides=2, name="pool_1")(x)
    x = layers.Conv2D(256, 5, padding="same", name="conv_2", **he)(x)
    x = _respond(x, "2") if options.local_response_normalisation else x
    x = layers.MaxPooling2D(3, strides=2, name="pool_2")(x)
    for number, filters in ((3, 384), (4, 384), (5, 256)):
        x = layers.Conv2D(filters, 3, padding="same", name=f"conv_{number}", **he)(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool_5")(x)
    x = layers.Flatten(name="flatten")(x)
    for number, units in ((6, 4096), (7, 4096), (8, 1000)):
        if options.dropout and number < 8:
            x = layers.Dropout(options.dropout, name=f"dropout_{number}")(x)
        x = layers.Dense(units, name=f"dense_{number}", **he)(x)
    return _softmax(x, classes)


def _respond(x: Any, number: str) -> Any:
    """Local response normalisation over five neighbouring channels (the paper's section 3.3)."""
    keras = load_keras()
    depth, constant, scale, power = 5, 2.0, 1e-4, 0.75
    x = keras.layers.Activation("linear", dtype="float32", name=f"response_{number}")(x)
    edge = depth // 2
    squares = keras.ops.pad(keras.ops.square(x), ((0, 0), (0, 0), (0, 0), (edge, edge)))
    channels = x.shape[-1]
    total = sum(squares[..., start : start + channels] for start in range(depth))
    return x / (constant + scale * total) ** power


def lenet5(pixels: Any, classes: int, _options: Network) -> Any:
    """LeNet-5 (LeCun, Bottou, Bengio and Haffner 1998, II.B) for 32 x 32 grey pictures; softmax.

    61,706 parameters for ten classes: as in most of today's versions, every map of C3 sees all of
    S2's, the pools average without weights, and a softmax takes the place of the radial outputs.
    """
    layers = load_keras().layers
    x = layers.Conv2D(6, 5, activation="tanh", name="c1")(pixels)
    x = layers.AveragePooling2D(2, name="s2")(x)
    x = layers.Conv2D(16, 5, activation="tanh", name="c3")(x)
    x = layers.AveragePooling2D(2, name="s4")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(120, activation="tanh", name="c5")(x)
    x = layers.Dense(84, activation="tanh", name="f6")(x)
    return _softmax(x, classes)


NETWORKS: dict[str, Callable[[Any, int, Network], Any]] = {
    "smaller_vgg": smaller_vgg,
    "small_convnet": small_convnet,
    "baseline_convnet": baseline_convnet,
    "alexnet": alexnet,
    "lenet5": lenet5,
}


def build_network(network: Network, shape: tuple[int, ...], classes: int) -> Any:
    """A Keras model from (side, side, channels) pixels in [0, 255] to probabilities.

    With bfloat16 the weights stay float32 and the layers between pixels and probabilities compute
    in bfloat16.
    """
    keras = load_keras()
    with precision_policy(network.precision):
        pixels = keras.Input(shape, name="pixels")
        scaled = keras.layers.Rescaling(1 / 255, dtype="float32", name="scaled")(pixels)
        return keras.Model(
            pixels, NETWORKS[network.network](scaled, classes, network), name="network"
        )


def _softmax(x: Any, classes: int) -> Any:
    layers = load_keras().layers
    return layers.Dense(classes, activation="softmax", dtype="float32", name="probability")(x)


def _sigmoid_or_softmax(x: Any, classes: int) -> Any:
    if classes > 2:
        return _softmax(x, classes)
    layers = load_keras().layers
    return layers.Dense(1, activation="sigmoid", dtype="float32", name="probability")(x)


def _or(chosen: float | None, published: float) -> float:
    return published if chosen is None else chosen
