"""A saved model and its class names, ready for pictures of any size."""

import os
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from storage import folders
from storage.errors import ParameterError, StorageDamaged
from storage.folders import CARD, CLASSES, TRAINING
from tasks.features.keras_file import require_plain
from tasks.pictures.parameters import Square, square_of
from tasks.pictures.resizing import resized
from tasks.running.tensorflow import load_keras, load_tensorflow
from tasks.train.choosing.doubt import FEWEST, familiarity
from tasks.train.choosing.logits import softmax
from tasks.train.model_folder import openvino_form

PICTURES_AT_A_TIME = 32
DOUBT = "--doubt"

# (n, side, side, 3) float32 RGB to (n, classes) probabilities.
Compute = Callable[[np.ndarray], np.ndarray]


class Doubt(NamedTuple):
    """What is said of an answer beside it: the classes of its set, and whether it is like any.

    `familiarity` is how much the picture is like those that the model knows: the evidence for any
    class (tasks/train/choosing/doubt.py).
    """

    held: tuple[str, ...]
    familiarity: float
    unknown: bool


class Bounds(NamedTuple):
    """What classes of a picture's set have at least, and how much evidence a known picture has."""

    probability: float
    evidence: float

    @classmethod
    def of(cls, file: Path) -> "Bounds":
        """Those of a model; ParameterError where it has none."""
        folders.require_sealed(file.parent / TRAINING)
        try:
            known = folders.read_json(file.parent / TRAINING)
            if len(known["averaged"]) > 1:
                raise ParameterError(
                    f"{DOUBT} is not for models that predict the mean over a picture and its "
                    "mirror image, as --preset best does: their bounds would be of one alone"
                )
            return cls(**known["facts"]["doubt"])
        except (KeyError, TypeError, StorageDamaged) as error:
            raise ParameterError(
                f"{DOUBT} is for models whose head was chosen (model.head.kind=linear) on "
                f"{FEWEST} pictures or more: the model at {file} has no bounds to doubt by, or "
                "those of an earlier version; train it again"
            ) from error


@dataclass(frozen=True)
class Classifier:
    """What a model's folder holds: what computes, class names in the order that it gives.

    `at_once` is how many computations make it fastest: one of many pictures, or one on each core.
    `remark` is what the user should know of how it computes. With `bounds` it computes logits, and
    answers can be doubted.
    """

    classes: tuple[str, ...]
    square: Square
    card: str
    compute: Compute
    at_once: int = 1
    remark: str = ""
    bounds: Bounds | None = None

    @classmethod
    def open(cls, file: Path, *, doubt: bool = False) -> "Classifier":
        """The model in `file`, with classes.json beside it.

        It computes in OpenVINO where its form for that lies beside it, else in TensorFlow.
        StorageDamaged if either cannot be read or they do not belong together; ParameterError if
        it is a Keras model, but none that resizes pictures by itself, or, with `doubt`, one that
        has no bounds to doubt by.
        """
        remark, at_once = "", os.cpu_count() or 1
        bounds = Bounds.of(file) if doubt else None
        try:
            square, outputs, compute = _in_openvino(file, at_once, logits=doubt)
        except openvino_form.Unusable as reason:
            if doubt:
                raise ParameterError(
                    f"{DOUBT} needs the model's form for OpenVINO ({reason or 'there is none'}): "
                    "train it again where openvino is installed"
                ) from reason
            square, outputs, compute = _in_tensorflow(file)
            at_once = 1
            remark = f"TensorFlow computes: {reason}" if str(reason) else ""
        card = file.parent / CARD
        return cls(
            classes=_classes(file.parent / CLASSES, outputs),
            square=square,
            card=card.read_text(encoding="utf-8") if card.is_file() else "",
            compute=compute,
            at_once=at_once,
            remark=remark,
            bounds=bounds,
        )

    def doubt(self, probabilities: Sequence[float], familiarity: float | None) -> Doubt | None:
        """Of one picture's answer; None where answers are not doubted."""
        if self.bounds is None or familiarity is None:
            return None
        both = zip(self.classes, probabilities, strict=True)
        held = tuple(name for name, one in both if one >= self.bounds.probability)
        return Doubt(held, familiarity, familiarity < self.bounds.evidence)

    def judged(self, pictures: Sequence[np.ndarray]) -> tuple[np.ndarray, list[float | None]]:
        """Probabilities as below, and with `bounds` how familiar each picture is, else None."""
        found = self._computed(pictures)
        if self.bounds is None:
            return found, [None] * len(found)
        return softmax(found), familiarity(found).tolist()

    def probabilities(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """(n, classes) float64 for n pictures: (height, width, 3) uint8 RGB, any sizes.

        They are resized here, as the model's own first layer would, so that they fit in one batch;
        whoever has done that already, to (side, side, 3) float32, gets the same.
        """
        return self.judged(pictures)[0]

    def _computed(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """(n, classes) probabilities; with `bounds` logits."""
        parts = [np.empty((0, len(self.classes)))]
        for start in range(0, len(pictures), PICTURES_AT_A_TIME):
            batch = [
                resized(one, self.square) for one in pictures[start : start + PICTURES_AT_A_TIME]
            ]
            parts.append(self.compute(np.stack(batch)).astype(np.float64))
        return np.concatenate(parts)


def _in_openvino(file: Path, cores: int, *, logits: bool) -> tuple[Square, int, Compute]:
    """(square, classes, what computes): a picture on each core."""
    form = openvino_form.load(file, cores, logits=logits)
    pool = ThreadPoolExecutor(cores, thread_name_prefix="openvino")

    def compute(batch: np.ndarray) -> np.ndarray:
        if len(batch) == 1:
            return form.compute(batch[0])[None]
        return np.stack(list(pool.map(form.compute, batch)))

    return form.square, form.classes, compute


def _in_tensorflow(file: Path) -> tuple[Square, int, Compute]:
    network = _loaded(file)
    tf = load_tensorflow()
    graph = tf.function(
        lambda pictures: network(pictures, training=False),
        input_signature=[tf.TensorSpec((None, None, None, 3), tf.float32)],
    )
    square, outputs = _square(network, file), int(network.output_shape[-1])
    return square, outputs, lambda batch: np.asarray(graph(tf.constant(batch)))


def _loaded(file: Path) -> Any:
    require_plain(file)
    folders.require_sealed(file)
    try:
        return load_keras().saving.load_model(file)
    # What Keras raises on bytes that it did not expect, JSON, zip and HDF5 among them.
    except (OSError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        reason = str(error).partition("\n")[0][:200]
        raise StorageDamaged(
            f"expected a model saved by Darkroom at {file}, found none that Keras can load "
            f"({reason}): run its experiment again, or name another model"
        ) from error


def _classes(file: Path, outputs: int) -> tuple[str, ...]:
    names = folders.read_json(file)
    if not isinstance(names, list) or len(names) != outputs:
        found = f"{len(names)} names" if isinstance(names, list) else type(names).__name__
        raise StorageDamaged(
            f"expected the names of the model's {outputs} classes in {file}, found {found}: keep "
            "the model's folder together as it was saved"
        )
    return tuple(map(str, names))


def _square(network: Any, file: Path) -> Square:
    for operation in getattr(network, "operations", ()):
        if type(operation).__name__ == "Resize":
            resize = "pad" if operation.pad_to_aspect_ratio else "squash"
            resize = "crop" if operation.crop_to_aspect_ratio else resize
            return square_of(int(operation.size[0]), resize)
    raise ParameterError(
        f"expected a model saved by Darkroom, which resizes pictures itself, at {file}; found "
        f"{type(network).__name__} {network.name!r}, which does not"
    )
