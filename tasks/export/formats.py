"""What a model can be written as: an entry for each format, with the runtime that reads it.

Each takes raw pictures, (n, height, width, 3) RGB in [0, 255] as float32, and gives (n, classes)
probabilities: resizing and preprocessing are inside.
"""

import importlib.util
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from storage.errors import MissingLibrary
from tasks.running import openvino
from tasks.running.tensorflow import load_tensorflow

Compute = Callable[[np.ndarray], np.ndarray]


class Format(NamedTuple):
    """A format: what Keras calls it, its file, who reads it, and five lines that show how.

    `packages` are those of the `extra` that it needs, as they are imported; `opened` gives what
    computes with a written file, on one picture at a time.
    """

    keras: str
    file: str
    runtime: str
    extra: str
    packages: tuple[str, ...]
    opened: Callable[[Path], Compute]
    lines: str

    def require(self) -> None:
        """MissingLibrary if what writes or reads it is not installed."""
        for name in self.packages:
            if importlib.util.find_spec(name) is None:
                raise MissingLibrary(
                    f"expected the package {name}, found none: install it with `pip install "
                    f"'darkroom[{self.extra}]'`"
                )


def _onnx(path: Path) -> Compute:
    import onnxruntime  # type: ignore[import-not-found,import-untyped,unused-ignore]

    session = onnxruntime.InferenceSession(os.fspath(path), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda pictures: np.asarray(session.run(None, {name: pictures})[0])


def _litert(path: Path) -> Compute:
    from ai_edge_litert.interpreter import (  # type: ignore[import-not-found,import-untyped,unused-ignore]
        Interpreter,
    )

    model = Interpreter(os.fspath(path), num_threads=os.cpu_count())
    takes, gives = model.get_input_details()[0]["index"], model.get_output_details()[0]["index"]

    def compute(pictures: np.ndarray) -> np.ndarray:
        model.resize_tensor_input(takes, pictures.shape)
        model.allocate_tensors()
        model.set_tensor(takes, pictures)
        model.invoke()
        return np.array(model.get_tensor(gives))

    return compute


def _saved_model(path: Path) -> Compute:
    tf = load_tensorflow()
    model = tf.saved_model.load(os.fspath(path))
    return lambda pictures: np.asarray(model.serve(tf.constant(pictures)))


def _openvino(path: Path) -> Compute:
    ready = openvino.compiled(openvino.core().read_model(path), "float32", streams=1)
    return lambda pictures: np.asarray(ready(pictures)[0])


ONNX_LINES = """\
import numpy as np, onnxruntime
from PIL import Image
session = onnxruntime.InferenceSession("model.onnx")
picture = np.asarray(Image.open("picture.jpg").convert("RGB"), np.float32)[None]
print(session.run(None, {session.get_inputs()[0].name: picture})[0])
"""
LITERT_LINES = """\
import numpy as np
from PIL import Image
from ai_edge_litert.interpreter import Interpreter
picture = np.asarray(Image.open("picture.jpg").convert("RGB"), np.float32)[None]
model = Interpreter("model.tflite")
model.resize_tensor_input(model.get_input_details()[0]["index"], picture.shape)
model.allocate_tensors()
model.set_tensor(model.get_input_details()[0]["index"], picture)
model.invoke()
print(model.get_tensor(model.get_output_details()[0]["index"]))
"""
SAVED_MODEL_LINES = """\
import numpy as np, tensorflow as tf
from PIL import Image
model = tf.saved_model.load("saved_model")
picture = np.asarray(Image.open("picture.jpg").convert("RGB"), np.float32)[None]
print(model.serve(picture).numpy())
"""
OPENVINO_LINES = """\
import numpy as np, openvino
from PIL import Image
model = openvino.compile_model("model.xml")
picture = np.asarray(Image.open("picture.jpg").convert("RGB"), np.float32)[None]
print(model(picture)[0])
"""

FORMATS = {
    "onnx": Format(
        "onnx", "model.onnx", "ONNX Runtime", "onnx", ("tf2onnx", "onnxruntime"), _onnx, ONNX_LINES
    ),
    "litert": Format(
        "litert", "model.tflite", "LiteRT", "litert", ("ai_edge_litert",), _litert, LITERT_LINES
    ),
    "saved_model": Format(
        "tf_saved_model", "saved_model", "TensorFlow", "", (), _saved_model, SAVED_MODEL_LINES
    ),
    "openvino": Format(
        "openvino", "model.xml", "OpenVINO", "", ("openvino",), _openvino, OPENVINO_LINES
    ),
}


def written(model: Any, name: str, folder: Path) -> Path:
    """The file (or folder) that a Keras model was written to, in a format by its name."""
    form = FORMATS[name]
    form.require()
    if "openvino" in form.packages:
        openvino.load_openvino()  # by its one door, before Keras imports it
    path = folder / form.file
    with warnings.catch_warnings():
        # Keras asks NumPy for names that it no longer has.
        warnings.simplefilter("ignore", FutureWarning)
        model.export(os.fspath(path), format=form.keras, verbose=False)
    return path
