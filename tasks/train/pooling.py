"""Feature maps pooled once, before an epoch would pool them again: the same heads, much sooner.

A head that begins with an average or a maximum over places sees of a map of 7 x 7 places a
forty-ninth. The head that is trained takes the pooled rows; what is kept takes maps.
"""

from typing import Any

import numpy as np

from tasks.running.tensorflow import load_keras, load_tensorflow
from tasks.train import batches
from tasks.train.batches import Labelled
from tasks.train.head import as_stored, pooled
from tasks.train.parameters import Head

ROWS_AT_A_TIME = 128
FLOAT32_BYTES = 4


def is_pooled(head: Head, shape: tuple[int, ...], *parts: Labelled) -> bool:
    """Whether maps of `shape` may be pooled first: the head does so, and the rows fit in memory."""
    rows = sum(len(one.labels) * one.views for one in parts)
    places = len(shape) == 3 and head.pooling in ("average", "max")
    return places and batches.fits(rows * shape[-1] * FLOAT32_BYTES)


def pooled_rows(data: Labelled, shape: tuple[int, ...], pooling: str) -> Labelled:
    """The same pictures and views as (n, channels) float32, held in memory."""
    tf, keras = load_tensorflow(), load_keras()
    maps = keras.Input(shape, name="features")
    model = keras.Model(maps, pooled(as_stored(maps), pooling))
    graph = tf.function(
        lambda x: model(x, training=False),
        input_signature=[tf.TensorSpec((None, *shape), tf.float16)],
    )
    count = len(data.labels) * data.views
    held = np.empty((count, shape[-1]), np.float32)
    for start in range(0, count, ROWS_AT_A_TIME):
        positions = np.arange(start, min(start + ROWS_AT_A_TIME, count))
        held[positions] = graph(tf.constant(data.rows(positions).reshape(-1, *shape))).numpy()
    return data._replace(rows=lambda positions: held[positions])


def with_pooling(head: Any, trained: Any) -> Any:
    """`head`, which takes maps, with the weights of one that was trained on pooled rows."""
    head.set_weights(trained.get_weights())
    return head
