"""The model that people use: raw pictures in, class probabilities out, in one `.keras` file.

It is made of Keras's own layers only, so that it loads where this project is not installed.
"""

from typing import Any

from storage.features import FeatureSpace
from tasks.extract.backbone import Backbone
from tasks.tensorflow import load_keras


def backbone_of(space: FeatureSpace, weights: Any = None) -> Backbone:
    """The backbone that computed a feature space."""
    return Backbone(
        name=space.backbone,
        image_size=space.image_size,
        preprocessing="imagenet" if space.preprocessing == "imagenet" else "rescale",
        precision="bfloat16" if space.precision == "bfloat16" else "float32",
        layer=None if space.layer == "last" else space.layer,
        weights=weights,
    )


def whole_model(backbone: Any, head: Any, image_size: int) -> Any:
    """Pictures (n, any height, any width, 3), RGB in [0, 255], to (n, classes) probabilities.

    Pictures are resized inside; a sigmoid head's p becomes the two columns 1 - p and p.
    """
    keras = load_keras()
    pictures = keras.Input((None, None, 3), name="pictures")
    pixels = keras.layers.Resizing(
        image_size, image_size, interpolation="bilinear", dtype="float32"
    )(pictures)
    out = head(backbone(pixels))
    if out.shape[-1] == 1:
        out = keras.layers.Concatenate(name="probabilities", dtype="float32")([1.0 - out, out])
    return keras.Model(pictures, out, name="darkroom")
