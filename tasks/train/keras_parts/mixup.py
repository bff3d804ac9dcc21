"""Mixup: rows of a batch blended in pairs, and their labels with them.

After Zhang, Cisse, Dauphin and Lopez-Paz, mixup: Beyond Empirical Risk Minimization, 2018.
"""

from typing import Any

from tasks.running.tensorflow import load_tensorflow

TINY = 1e-9


def mixed(batches: Any, alpha: float, *, seed: int, first_batch: int) -> Any:
    """A tf.data.Dataset of float32 rows and one-hot labels, blended with the batch's other end.

    Shares are drawn from Beta(alpha, alpha) by (seed, number of the batch): a resumed training sees
    what it would have seen. A row's own share is the larger one, so that its label stays the
    largest.
    """
    tf = load_tensorflow()

    def blend(number: Any, batch: tuple[Any, Any]) -> tuple[Any, Any]:
        rows, labels = batch
        drawn = (2, tf.shape(labels)[0])
        # Two draws from a gamma distribution, divided by their sum, are one from a beta.
        draws = tf.random.stateless_gamma(drawn, tf.stack([seed, number]), alpha)
        own = (tf.reduce_max(draws, 0) + TINY) / (tf.reduce_sum(draws, 0) + TINY)
        return _blended(tf.cast(rows, tf.float32), own), _blended(labels, own)

    return batches.enumerate(first_batch).map(blend)


def _blended(values: Any, own: Any) -> Any:
    tf = load_tensorflow()
    own = tf.reshape(own, (-1, *[1] * (len(values.shape) - 1)))
    return own * values + (1 - own) * tf.reverse(values, [0])
