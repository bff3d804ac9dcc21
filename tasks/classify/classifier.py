"""A saved model and its class names, ready for pictures of any size."""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from storage import folders
from storage.errors import ParameterError, StorageDamaged
from storage.folders import CARD, CLASSES
from tasks.pictures.resizing import resized
from tasks.running.tensorflow import load_keras, load_tensorflow

PICTURES_AT_A_TIME = 32


@dataclass(frozen=True)
class Classifier:
    """What a model's folder holds: the network as a graph, class names in the order it gives."""

    classes: tuple[str, ...]
    side: int
    card: str
    compute: Any

    @classmethod
    def open(cls, file: Path) -> "Classifier":
        """The model in `file`, with classes.json beside it.

        StorageDamaged if either cannot be read or they do not belong together; ParameterError if
        it is a Keras model, but none that resizes pictures by itself.
        """
        tf = load_tensorflow()
        network = _loaded(file)
        classes = _classes(file.parent / CLASSES, network.output_shape[-1])
        card = file.parent / CARD
        graph = tf.function(
            lambda pictures: network(pictures, training=False),
            input_signature=[tf.TensorSpec((None, None, None, 3), tf.float32)],
        )
        return cls(
            classes=classes,
            side=_side(network, file),
            card=card.read_text(encoding="utf-8") if card.is_file() else "",
            compute=graph,
        )

    def probabilities(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """(n, classes) float64 for n pictures: (height, width, 3) uint8 RGB, any sizes.

        They are resized here, as the model's own first layer would, so that they fit in one batch;
        whoever has done that already, to (side, side, 3) float32, gets the same.
        """
        parts = [np.empty((0, len(self.classes)))]
        for start in range(0, len(pictures), PICTURES_AT_A_TIME):
            batch = [
                resized(one, self.side) for one in pictures[start : start + PICTURES_AT_A_TIME]
            ]
            parts.append(self.compute(np.stack(batch)).numpy().astype(np.float64))
        return np.concatenate(parts)


def _loaded(file: Path) -> Any:
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


def _side(network: Any, file: Path) -> int:
    for operation in getattr(network, "operations", ()):
        if type(operation).__name__ == "Resize":
            return int(operation.size[0])
    raise ParameterError(
        f"expected a model saved by Darkroom, which resizes pictures itself, at {file}; found "
        f"{type(network).__name__} {network.name!r}, which does not"
    )
