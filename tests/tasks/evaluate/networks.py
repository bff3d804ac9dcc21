"""Small networks whose answers are known because their weights are set by hand."""

import numpy as np

from tasks.running.tensorflow import load_keras

SIDE = 24
CORNERS = {"upper left": (0, 0), "upper right": (0, 1), "lower left": (1, 0), "lower right": (1, 1)}


def spotted(corner, brightness):
    """A grey picture (SIDE, SIDE, 3) with a square of another brightness in one corner."""
    pixels = np.full((SIDE, SIDE, 3), 110, np.uint8)
    down, right = CORNERS[corner]
    top, left = down * (SIDE - 8) + (1 - 2 * down), right * (SIDE - 8) + (1 - 2 * right)
    pixels[top : top + 8, left : left + 8] = brightness
    return pixels


def spot_finder(*, sigmoid=True, sharpness=50.0, nested=False):
    """A network that says 1 for a bright spot and 0 for a dark one, wherever it is."""
    keras = load_keras()
    layers = keras.layers
    pixels = keras.Input((SIDE, SIDE, 3), name="pixels")
    convolution = layers.Conv2D(2, 3, activation="relu", name="spots")
    scaled = layers.Rescaling(1 / 255, name="scaled")
    pool = layers.MaxPooling2D(2, name="halved")
    if nested:
        given = keras.Input((SIDE, SIDE, 3))
        maps = keras.Model(given, pool(convolution(scaled(given))), name="inner")(pixels)
    else:
        maps = pool(convolution(scaled(pixels)))
    x = layers.GlobalAveragePooling2D(name="everywhere")(maps)
    kind, units = ("sigmoid", 1) if sigmoid else ("softmax", 2)
    last = layers.Dense(units, activation=kind, name="probability")
    model = keras.Model(pixels, last(x))
    # The mean of all channels around a pixel: bright above 0.6, dark below 0.25.
    kernel = np.full((3, 3, 3, 2), 1 / 27, np.float32) * [1, -1]
    convolution.set_weights([kernel, np.array([-0.6, 0.25])])
    weights = np.array([[-sharpness, sharpness], [sharpness, -sharpness]])
    last.set_weights([weights[:, 1:] if sigmoid else weights, np.zeros(units)])
    return model


def whole(trained, side=SIDE, *, mirrored=False):
    """As a model for people is made: any size is resized, a nested backbone comes first."""
    keras = load_keras()
    layers = keras.layers
    given = keras.Input((side, side, 3))
    inner = keras.Model(given, layers.Conv2D(5, 3, padding="same", name="first")(given), name="net")
    first = keras.Input((side, side, 3))
    narrow = layers.Conv2D(3, 1, name="narrow")
    backbone = keras.Model(first, narrow(inner(first)), name="backbone")
    pictures = keras.Input((None, None, 3), name="pictures")
    # As a picture is made grey: a convolution of channels alone, which sees no shapes.
    grey = layers.Conv2D(3, 1, name="grey")(pictures)
    pixels = layers.Resizing(side, side)(grey)
    out = trained(backbone(pixels))
    if mirrored:
        other = trained(backbone(keras.ops.flip(pixels, axis=2)))
        out = layers.Average(name="both_sides")([out, other])
    return keras.Model(pictures, out, name="darkroom")
