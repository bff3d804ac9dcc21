"""Fine-tuning: a head first, then the last layers of the backbone under it, from cached features.

The features are outputs of the layer below those that are tuned, so that no epoch computes again
what is frozen (the two stages are those of Chollet, Deep Learning with Python, 2017, 5.3.2).
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from tasks.running.tensorflow import load_keras, load_tensorflow
from tasks.train import batches
from tasks.train.batches import Labelled
from tasks.train.head import as_stored, probabilities
from tasks.train.parameters import FineTuning

ROWS_AT_A_TIME = 64


def build_tuned(
    tuning: FineTuning, above: Any, head: Any, shape: tuple[int, ...], classes: int
) -> Any:
    """A Keras model from cached features of `shape` to probabilities, all of which can learn.

    `above` is the backbone's layers above the cut, `head` a model of `tuning.head` trained on what
    `above` gave before.
    """
    keras = load_keras()
    features = keras.Input(shape, name="features")
    above.trainable = True
    for layer in above.layers:
        # Batch normalisation keeps ImageNet's statistics: those of small batches would be worse.
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
    x = above(as_stored(features))
    model = keras.Model(features, probabilities(tuning.head, x, classes), name="tuned")
    for layer in head.layers:
        if layer.weights:
            model.get_layer(layer.name).set_weights(layer.get_weights())
    return model


def through(above: Any, data: Labelled, shape: tuple[int, ...]) -> Labelled:
    """The pictures' first views as `above` sees them: (n, width) float16 rows.

    Computed once where they fit in memory, batch by batch as they are asked for where they do not.
    """
    tf = load_tensorflow()
    graph = tf.function(
        lambda x: tf.cast(above(x, training=False), tf.float16),
        input_signature=[tf.TensorSpec((None, *shape), tf.float16)],
    )

    def rows(positions: np.ndarray) -> np.ndarray:
        features = data.rows(positions).reshape(-1, *shape)
        return graph(tf.constant(features)).numpy().reshape(len(positions), -1)

    count = len(data.labels)
    width = int(np.prod(above.output_shape[1:]))
    if not batches.fits(count * width * 2):
        return Labelled(rows, data.labels)
    held = _all(rows, count, width)
    return Labelled(lambda positions: held[positions], data.labels)


def _all(rows: Callable[[np.ndarray], np.ndarray], count: int, width: int) -> np.ndarray:
    held = np.empty((count, width), np.float16)
    for start in range(0, count, ROWS_AT_A_TIME):
        positions = np.arange(start, min(start + ROWS_AT_A_TIME, count))
        held[positions] = rows(positions)
    return held
