"""A pretrained network at work: from RGB pixels to features, in its precision, as a graph.

With tasks/pictures this is all that decides a feature's value: its code is part of the name of
every feature space.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tasks.pictures.parameters import Mode
from tasks.pictures.preprocessing import preprocess
from tasks.running.tensorflow import load_keras, load_tensorflow


def features_of(base: Any, side: int, mode: Mode) -> Any:
    """A Keras model from (n, side, side, 3) RGB in [0, 255] to what `base` gives, frozen."""
    keras = load_keras()
    pixels = keras.Input((side, side, 3), name="pixels")
    base.trainable = False
    return keras.Model(pixels, base(preprocess(pixels, mode)), name="backbone")


def compiled(model: Any) -> Callable[[np.ndarray], np.ndarray]:
    """The model as a graph from float32 pixels to float16 features."""
    tf = load_tensorflow()
    signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)]
    graph = tf.function(
        lambda x: tf.cast(model(x, training=False), tf.float16), input_signature=signature
    )
    return lambda pixels: graph(tf.constant(pixels)).numpy()


@contextlib.contextmanager
def precision_policy(precision: str) -> Iterator[None]:
    """Layers made in the block compute in `precision`, `bfloat16` or `float32`."""
    config = load_keras().config
    before = config.dtype_policy()
    config.set_dtype_policy("mixed_bfloat16" if precision == "bfloat16" else "float32")
    try:
        yield
    finally:
        config.set_dtype_policy(before)
