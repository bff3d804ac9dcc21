"""The model that people use: raw pictures in, class probabilities out, in one `.keras` file.

It is made of Keras's own layers only, so that it loads where this project is not installed.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from storage.features import PIXELS, FeatureSpace
from tasks.pictures.parameters import Square
from tasks.pictures.resizing import GREY
from tasks.running.tensorflow import load_keras
from tasks.train.parts import backbone_of


def features_of(space: FeatureSpace, weights: Path | None = None) -> Callable[[Any], Any]:
    """From resized RGB pictures to what a trained part takes, as layers of a model."""
    if space.parts:
        return _averages(space.parts)
    return _pixels(space) if space.backbone == PIXELS else backbone_of(space, weights).build()


def _averages(parts: tuple[FeatureSpace, ...]) -> Callable[[Any], Any]:
    """The averages of each part's maps, one part after the other."""
    keras = load_keras()
    models = []
    for part in parts:
        network = backbone_of(part).build()
        pixels = keras.Input(network.input_shape[1:], name="pixels")
        average = keras.layers.GlobalAveragePooling2D(name="average", dtype="float32")
        models.append(keras.Model(pixels, average(network(pixels)), name=part.backbone.lower()))
    together = keras.layers.Concatenate(name="averages", dtype="float32")
    return lambda pixels: together([model(pixels) for model in models])


def _pixels(space: FeatureSpace) -> Callable[[Any], Any]:
    """Whole numbers, as pixels are kept, in one or three channels."""
    keras = load_keras()
    if space.shape[-1] == 3:
        return keras.ops.round
    grey = keras.layers.Conv2D(1, 1, use_bias=False, dtype="float32", trainable=False, name="grey")
    grey.build((None, None, None, 3))
    grey.set_weights([np.array(GREY, np.float32).reshape(1, 1, 3, 1)])
    return lambda pictures: keras.ops.round(grey(pictures))


def whole_model(
    features: Callable[[Any], Any], trained: Any, square: Square, *, mirrored: bool = False
) -> Any:
    """Pictures (n, any height, any width, 3), RGB in [0, 255], to (n, classes) probabilities.

    Pictures are resized inside; a sigmoid's p becomes the two columns 1 - p and p. With `mirrored`
    the probabilities are the mean of those of a picture and of its mirror image.
    """
    keras = load_keras()
    pictures = keras.Input((None, None, 3), name="pictures")
    # Not the layer Resizing: unless told otherwise it runs as in training, and so would all layers
    # after it; `model(pictures)` would drop out half of the head.
    pixels = keras.ops.image.resize(
        pictures,
        (square.side, square.side),
        interpolation="bilinear",
        pad_to_aspect_ratio=square.resize == "pad",
        crop_to_aspect_ratio=square.resize == "crop",
    )
    out = trained(features(pixels))
    if mirrored:
        other = trained(features(keras.ops.flip(pixels, axis=2)))
        out = keras.layers.Average(name="both_sides", dtype="float32")([out, other])
    if out.shape[-1] == 1:
        out = keras.layers.Concatenate(name="probabilities", dtype="float32")([1.0 - out, out])
    return keras.Model(pictures, out, name="darkroom")
