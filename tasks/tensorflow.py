"""The one door to TensorFlow and Keras: imported when a step needs them, and not before."""

import os
from types import ModuleType


def load_keras() -> ModuleType:
    """The module keras, on the TensorFlow backend, without TensorFlow's chatter."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Where this is unset TensorFlow would take every GPU's memory at once.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    import keras

    return keras


def load_tensorflow() -> ModuleType:
    """The module tensorflow, prepared as `load_keras` does."""
    load_keras()
    import tensorflow

    return tensorflow
