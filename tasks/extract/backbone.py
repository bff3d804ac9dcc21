"""A pretrained network without its top: from RGB pixels to features."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage.errors import ParameterError, WeightsMissing
from storage.features import FeatureSpace
from tasks import code
from tasks.extract.precision import Precision
from tasks.extract.preprocessing import MODES, Preprocessing, preprocess
from tasks.extract.weights import VGG16_FINGERPRINT, load_vgg16
from tasks.tensorflow import load_keras

RESIZING = "bilinear, half-pixel centres, float32"
# What decides a feature's value: a changed line in these makes another feature space.
DECIDING = ("tasks.decode", "tasks.extract.pixels", "tasks.extract.preprocessing", __name__)


@dataclass(frozen=True)
class Backbone:
    """What to compute features with; `layer` is a layer's name, None for the last one."""

    name: str
    image_size: int
    preprocessing: Preprocessing
    precision: Precision
    layer: str | None = None
    weights: Path | None = None

    def build(self, precision: Precision | None = None) -> Any:
        """A Keras model: (n, size, size, 3) RGB in [0, 255] to features, weights checked."""
        keras = load_keras()
        _require_known(self.name)
        side = self.image_size
        policy = "mixed_bfloat16" if (precision or self.precision) == "bfloat16" else "float32"
        pixels = keras.Input((side, side, 3), name="pixels")
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(policy)
        try:
            base = _application(self.name, side, self.weights)
        finally:
            keras.config.set_dtype_policy(before)
        if self.layer is not None:
            base = keras.Model(base.input, _layer(base, self.layer).output, name=base.name)
        base.trainable = False
        features = base(preprocess(pixels, self.name, self.preprocessing))
        return keras.Model(pixels, features, name="backbone")

    def space(self, model: Any) -> FeatureSpace:
        """The feature space of this backbone, whose built model tells the shape."""
        return FeatureSpace(
            backbone=self.name,
            weights=VGG16_FINGERPRINT if self.name == "VGG16" else "keras.applications imagenet",
            layer=self.layer or "last",
            image_size=self.image_size,
            resizing=RESIZING,
            preprocessing=self.preprocessing,
            precision=self.precision,
            shape=tuple(model.output_shape[1:]),
            code=code.of_modules(*DECIDING),
        )


def _require_known(name: str) -> None:
    if name not in MODES:
        raise ParameterError(f"unknown backbone {name!r}: expected one of {', '.join(MODES)}")


def _application(name: str, side: int, weights: Path | None) -> Any:
    applications = load_keras().applications
    make = getattr(applications, name)
    if name == "VGG16":
        base = make(weights=None, include_top=False, input_shape=(side, side, 3))
        load_vgg16(base, weights)
        return base
    if weights is not None:
        raise ParameterError(
            f"model.weights is for VGG16 only, found it with {name}: Keras looks for {name}'s "
            "weights in ~/.keras/models and checks them against its own hash"
        )
    try:
        return make(weights="imagenet", include_top=False, input_shape=(side, side, 3))
    except ValueError as error:
        raise ParameterError(f"{name} at {side} pixels: {error}") from error
    except Exception as error:  # URLError, OSError and plain Exception, depending on the failure
        raise WeightsMissing(
            f"{name}'s ImageNet weights could not be loaded ({str(error)[:200]}): Keras downloads "
            "them once into ~/.keras/models, which needs a connection"
        ) from error


def _layer(base: Any, name: str) -> Any:
    names = [layer.name for layer in base.layers]
    if name not in names:
        raise ParameterError(
            f"{base.name} has no layer {name!r}: expected one of {', '.join(names)}"
        )
    return base.get_layer(name)
