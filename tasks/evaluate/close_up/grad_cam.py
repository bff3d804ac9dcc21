"""Grad-CAM: where in a picture lies what speaks for the class that was predicted.

Selvaraju et al. 2017, "Grad-CAM: visual explanations from deep networks via gradient-based
localization", section 3: each feature map of the last convolutional layer counts with the mean
gradient of the class's score (before softmax) in it; only what speaks for the class is kept.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from tasks.evaluate.close_up.layer_outputs import gives_maps, watched
from tasks.evaluate.shrinking import shrunk
from tasks.running.tensorflow import load_keras, load_tensorflow

# Few at a time: a network that begins with pixels has large feature maps.
ROWS_AT_A_TIME = 8
MOST_SIDE = 64


def heat_maps(
    trained: Any,
    rows: Any,
    positions: np.ndarray,
    predicted: np.ndarray,
    shape: tuple[int, ...],
) -> np.ndarray | None:
    """(len(positions), height, width) uint8, 255 where the most speaks for the class `predicted`.

    `trained` is the trained part of a model, `rows` gives its input at `positions`, each of
    `shape`; `predicted` are class numbers. A map is 0 throughout where nothing speaks for the
    class. None for features that have no place in the picture.
    """
    if len(shape) != 3 or not len(positions):
        return None
    parts = []
    for start in range(0, len(positions), ROWS_AT_A_TIME):
        part = slice(start, start + ROWS_AT_A_TIME)
        batch = rows(positions[part]).reshape(-1, *shape).astype(np.float32)
        parts.append(_heat(trained, batch, predicted[part]))
    return np.stack([_as_bytes(one) for one in np.concatenate(parts)])


def _heat(trained: Any, batch: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """(n, height, width) float32, not negative."""
    tf = load_tensorflow()
    given: list[Any] = []
    target = next((one for one in reversed(trained.layers) if gives_maps(one)), None)
    features = tf.constant(batch)
    with tf.GradientTape(watch_accessed_variables=False) as tape:

        def note(maps: Any) -> None:
            tape.watch(maps)
            given.append(maps)

        if target is None:
            note(features)
        with (
            watched(target, note) if target else contextlib.nullcontext(),
            _before_softmax(trained),
        ):
            scores = _of_class(trained(features, training=False), predicted)
    gradient = tf.cast(tape.gradient(scores, given[-1]), tf.float32)
    weights = tf.reduce_mean(gradient, axis=(1, 2), keepdims=True)
    heat = tf.reduce_sum(weights * tf.cast(given[-1], tf.float32), axis=-1)
    return np.asarray(tf.nn.relu(heat))


@contextlib.contextmanager
def _before_softmax(trained: Any) -> Iterator[None]:
    """The output without its softmax or sigmoid: where that is all but 1 it has no gradient."""
    last = trained
    while getattr(last, "layers", None):
        last = last.layers[-1]
    activations = load_keras().activations
    activation = getattr(last, "activation", None)
    if activation not in (activations.softmax, activations.sigmoid):
        yield
        return
    last.activation = activations.linear
    try:
        yield
    finally:
        last.activation = activation


def _of_class(scores: Any, predicted: np.ndarray) -> Any:
    """(n,) scores of the predicted classes; the one of a sigmoid speaks for the second class."""
    tf = load_tensorflow()
    if scores.shape[1] == 1:
        return scores[:, 0] * np.where(predicted == 1, 1, -1).astype(np.float32)
    return tf.gather(scores, predicted, axis=1, batch_dims=1)


def _as_bytes(heat: np.ndarray) -> np.ndarray:
    heat = shrunk(heat, MOST_SIDE)
    highest = float(heat.max())
    return np.round(heat * (255 / highest if highest > 0 else 0)).astype(np.uint8)
