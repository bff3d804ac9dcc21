"""The one door to TensorFlow and Keras: imported when a step needs them, and not before."""

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from typing import Any


def load_keras() -> Any:
    """The module keras, on the TensorFlow backend, without TensorFlow's chatter."""
    # In a function that TensorFlow traces no more than this may run: AutoGraph, which cannot
    # translate os.environ, would warn and print every environment variable, secrets included.
    if "keras" not in sys.modules:
        _import_keras()
    return sys.modules["keras"]


def _import_keras() -> None:
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Where this is unset TensorFlow would take every GPU's memory at once.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    with _silent_libraries():
        importlib.import_module("keras")


def load_tensorflow() -> Any:
    """The module tensorflow, prepared as `load_keras` does."""
    load_keras()
    import tensorflow as tf

    return tf


@contextlib.contextmanager
def _silent_libraries() -> Iterator[None]:
    """TensorFlow's C++ writes to standard error while it loads, before it reads its log level."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a descriptor is what is wanted
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
