"""A pretrained network without its top: from RGB pixels to features."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from storage.errors import MissingLibrary, ParameterError, StorageDamaged, WeightsMissing
from storage.features import FeatureSpace
from tasks.features import efficientnet_lite, keras_file, openvino_network
from tasks.features.network import compiled, features_of, precision_policy
from tasks.features.parameters import Extraction, Precision, Runtime
from tasks.features.prepared import Prepared
from tasks.features.weights import VGG16_FINGERPRINT, load_vgg16
from tasks.pictures.parameters import Mode, Resize
from tasks.pictures.resizing import RESIZING
from tasks.running import code_fingerprint, openvino
from tasks.running.tensorflow import load_keras

# Whoever changes what a feature is made of makes another space: nothing else is looked at.
DECIDING = {
    "tensorflow": ("tasks.pictures", "tasks.features.network"),
    "openvino": ("tasks.pictures", "tasks.features.openvino_network"),
}
TAKES_OVER = "TensorFlow computed the features: OpenVINO cannot be used here"


@dataclass(frozen=True)
class Backbone:
    """What to compute features with; `layer` is a layer's name, None for the last one.

    `mode` is how pixels are shown to it.
    """

    name: str
    image_size: int
    mode: Mode
    precision: Precision
    layer: str | None = None
    weights: Path | None = None
    runtime: Runtime = "tensorflow"
    resize: Resize = "squash"

    @classmethod
    def told(cls, model: Extraction, weights: Path | None = None) -> "Backbone":
        """The backbone that computes what `model` says."""
        assert model.backbone is not None  # pixels need none
        return cls(
            model.backbone,
            model.image_size,
            model.mode,
            model.precision,
            model.layer,
            weights,
            model.runtime,
            model.resize,
        )

    def prepare(self, streams: int = 1) -> Prepared:
        """Ready for pictures; `streams` of them at once where OpenVINO computes.

        TensorFlow takes over, with a remark, where OpenVINO cannot be used.
        """
        if self.runtime == "openvino":
            try:
                return self._in_openvino(streams)
            except MissingLibrary as error:
                other = replace(self, runtime="tensorflow")
                return other.prepare()._replace(remark=f"{TAKES_OVER} ({str(error)[:200]})")
        model = self.build()
        return Prepared(self.space(model.output_shape[1:]), batch=compiled(model))

    def _in_openvino(self, streams: int) -> Prepared:
        if self.name in efficientnet_lite.SIZES:
            network = openvino_network.lite(
                self.name, self.image_size, self.mode, self.layer, self.weights
            )
        else:
            keras = replace(self, precision="float32").build()
            network = openvino.of_keras(keras, (1, *keras.input_shape[1:]))
        ready = openvino.compiled(network, self.precision, streams=streams)
        shape = tuple(ready.output(0).shape)[1:]
        return Prepared(self.space(shape), each=openvino.one_by_one(ready, np.float16))

    def build(self) -> Any:
        """A Keras model: (n, size, size, 3) RGB in [0, 255] to features, weights checked."""
        base = self._base()
        if self.layer is not None:
            cut = _layer(base, self.layer).output
            base = load_keras().Model(base.inputs[0], cut, name=base.name)
        return features_of(base, self.image_size, self.mode)

    def above(self) -> Any:
        """A Keras model of the layers after `layer`: from the features to the network's last."""
        keras = load_keras()
        base = self._base()
        assert self.layer is not None  # what lies above the last layer is nothing
        cut = _layer(base, self.layer)
        if cut is base.layers[-1]:
            raise ParameterError(
                f"{base.name} has nothing above its last layer {cut.name}: choose a model.layer "
                f"before it, one of {', '.join(layer.name for layer in base.layers[:-1])}"
            )
        try:
            above = keras.Model(cut.output, base.outputs[0], name="above")
        except ValueError as error:
            raise ParameterError(
                f"{base.name} cannot be cut at {cut.name}: later layers take outputs from before "
                f"it ({str(error)[:120]}); choose a layer that all later ones depend on"
            ) from error
        # Keras would number its own input on within a process; the same model needs the same names.
        named = keras.Input(cut.output.shape[1:], name="below")
        again = keras.models.clone_model(above, input_tensors=named)
        again.set_weights(above.get_weights())
        return again

    def _base(self) -> Any:
        _require_known(self.name)
        with precision_policy(self.keras_precision):
            return _application(self.name, self.image_size, self.weights)

    @property
    def keras_precision(self) -> Precision:
        """What its Keras form computes in: TensorFlow is no faster with Lite's in bfloat16."""
        elsewhere = self.runtime == "openvino" and self.name in efficientnet_lite.SIZES
        return "float32" if elsewhere or keras_file.is_own(self.name) else self.precision

    @property
    def _preprocessing(self) -> str:
        if keras_file.is_own(self.name):
            return "own"
        return "rescale" if self.mode == "rescale" else "imagenet"

    def space(self, shape: tuple[int, ...]) -> FeatureSpace:
        """The feature space of this backbone, whose features have this shape."""
        return FeatureSpace(
            backbone=self.name,
            weights=_weights_of(self.name),
            layer=self.layer or "last",
            image_size=self.image_size,
            resizing=RESIZING,
            preprocessing=self._preprocessing,
            precision=self.precision,
            shape=tuple(shape),
            mode=self.mode,
            code="-".join(map(code_fingerprint.fingerprint, DECIDING[self.runtime])),
            runtime=self.runtime,
            resize=self.resize,
        )


def _weights_of(name: str) -> str:
    """What says which weights they are: their fingerprint, or that Keras has checked them."""
    if name in efficientnet_lite.SIZES:
        return efficientnet_lite.SIZES[name].fingerprint
    if keras_file.is_own(name):
        return name.partition(keras_file.MARK)[2]
    return VGG16_FINGERPRINT if name == "VGG16" else "keras.applications imagenet"


def _require_known(name: str) -> None:
    if name in efficientnet_lite.SIZES or keras_file.is_own(name):
        return
    if not hasattr(load_keras().applications, name):
        raise ParameterError(f"unknown backbone {name!r}: expected a network of keras.applications")


def _application(name: str, side: int, weights: Path | None) -> Any:
    if name in efficientnet_lite.SIZES:
        return efficientnet_lite.build(name, side, weights)
    if keras_file.is_own(name):
        return _of_file(name, weights)
    applications = load_keras().applications
    make = getattr(applications, name)
    if name == "VGG16":
        base = make(weights=None, include_top=False, input_shape=(side, side, 3))
        load_vgg16(base, weights)
        return base
    if weights is not None:
        raise ParameterError(
            f"model.weights is for VGG16 and EfficientNetLite, found it with {name}: Keras looks "
            f"for {name}'s weights in ~/.keras/models and checks them against its own hash"
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


def _of_file(name: str, file: Path | None) -> Any:
    """The network in a `.keras` file, if it is still the one of this name."""
    if file is None or not file.is_file() or keras_file.own(file).name != name:
        raise WeightsMissing(
            f"expected the network {name} at {file or 'its file'}, found another or none: say "
            "where it is with model.backbone"
        )
    keras_file.require_plain(file)  # once more: this is where it would run
    try:
        network = load_keras().saving.load_model(file, compile=False, safe_mode=True)
    # What Keras raises on layers that do not fit each other, or their weights.
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StorageDamaged(
            f"Keras cannot load {file} ({str(error)[:200]}): save it again, in this version"
        ) from error
    if len(network.inputs) != 1 or len(network.outputs) != 1:
        raise ParameterError(
            f"expected a network from pictures to features in {file}, found {len(network.inputs)} "
            f"inputs and {len(network.outputs)} outputs"
        )
    return network


def _layer(base: Any, name: str) -> Any:
    names = [layer.name for layer in base.layers]
    if name not in names:
        raise ParameterError(
            f"{base.name} has no layer {name!r}: expected one of {', '.join(names)}"
        )
    return base.get_layer(name)
