"""The saved model as OpenVINO takes it, beside `model.keras`: whoever only looks starts at once.

It is `model.xml` with the layers and `model.bin` with the weights, in float32; it takes one picture
that is resized already. The text says of which `model.keras` it is a form, and in which number
format it is meant to compute where the processor multiplies that.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from storage import digests, folders
from storage.errors import MissingLibrary, StorageDamaged
from storage.folders import OPENVINO
from tasks.features.precision import resolve
from tasks.pictures.parameters import Square, square_of
from tasks.running import openvino
from tasks.running.tensorflow import load_keras

# Under which names the text holds what is said above.
OF, PRECISION = ("darkroom", "of"), ("darkroom", "precision")
RESIZE = ("darkroom", "resize")


class Form(NamedTuple):
    """A model ready to compute, from any thread: (side, side, 3) float32 RGB to probabilities.

    To logits where those were asked for.
    """

    square: Square
    classes: int
    precision: str
    compute: Callable[[np.ndarray], np.ndarray]


class Unusable(Exception):
    """Why there is no form that can be used; `model.keras` always can."""


def save(whole: Any, file: Path, square: Square, precision: str) -> None:
    """Write the form of `whole`, which was saved as `file`; nothing where that cannot be done."""
    try:
        with in_float32(whole):
            network = openvino.of_keras(whole, (None, square.side, square.side, 3))
    except MissingLibrary:  # or a layer that it does not know
        return
    network.set_rt_info(digests.of_file(file), list(OF))
    network.set_rt_info(precision, list(PRECISION))
    network.set_rt_info(square.resize, list(RESIZE))
    path = file.with_name(OPENVINO)
    openvino.load_openvino().save_model(network, os.fspath(path), compress_to_fp16=False)


def load(file: Path, streams: int, *, logits: bool = False) -> Form:
    """The form beside a `model.keras`, `streams` pictures at once; Unusable if there is none.

    With `logits` it gives those, up to what all classes have in common.
    """
    path = file.with_name(OPENVINO)
    if not path.is_file():
        raise Unusable("")
    try:
        network = openvino.core().read_model(path)
        of, precision, resize = (
            network.get_rt_info(list(name)).astype(str) for name in (OF, PRECISION, RESIZE)
        )
        side = network.input(0).partial_shape[1].get_length()
        network.reshape([1, side, side, 3])
        if of != digests.of_file(file):
            raise Unusable(f"{path.name} is of another {file.name}")
        for one in (path, path.with_suffix(".bin")):
            folders.require_sealed(one)
        network, as_logits = _before_softmax(network) if logits else (network, _as_they_are)
        precision = resolve("auto") if precision == "bfloat16" else "float32"
        ready = openvino.compiled(network, precision, streams=streams)
        classes = int(ready.output(0).shape[1])
    except (MissingLibrary, RuntimeError, ValueError, StorageDamaged) as error:
        reason = " ".join(str(error).split())[:200]
        raise Unusable(f"{path.name} cannot be used: {reason}") from error
    compute = openvino.one_by_one(ready)
    return Form(
        square_of(side, resize), classes, precision, lambda pixels: as_logits(compute(pixels))
    )


def _before_softmax(network: Any) -> tuple[Any, Callable[[np.ndarray], np.ndarray]]:
    """A network that ends before its softmax, and what makes logits of what it gives.

    Of two classes, where there is none, the logarithms of both probabilities are as good.
    """
    last = network.get_results()[0].input_value(0).get_node()
    if last.get_type_name() != "Softmax":
        return network, lambda found: np.log(np.maximum(found, np.finfo(np.float32).tiny))
    model = openvino.load_openvino().Model
    return model([last.input_value(0)], network.get_parameters()), _as_they_are


def _as_they_are(found: np.ndarray) -> np.ndarray:
    return found


@contextlib.contextmanager
def in_float32(model: Any) -> Iterator[None]:
    """Layers that compute in bfloat16 are in float32 meanwhile: OpenVINO rounds by itself."""
    mixed = [one for one in _layers(model) if one.dtype_policy.name == "mixed_bfloat16"]
    before = [one.dtype_policy for one in mixed]
    try:
        for layer in mixed:
            layer.dtype_policy = load_keras().DTypePolicy("float32")
        yield
    finally:
        for layer, policy in zip(mixed, before, strict=True):
            layer.dtype_policy = policy


def _layers(model: Any) -> Iterator[Any]:
    for layer in model.layers:
        yield layer
        if isinstance(layer, load_keras().Model):
            yield from _layers(layer)
