"""Probabilities of a trained part on cached features."""

from typing import Any

import numpy as np

# A convnet's first feature maps of so many pictures take a few hundred megabytes.
ROWS_AT_A_TIME = 128


def averaged(part: Any, views: list[Any], count: int, shape: tuple[int, ...]) -> np.ndarray:
    """(count, classes) float64: the mean over views, each a function from positions to rows."""
    each = [probabilities(part, rows, count, shape) for rows in views]
    return np.asarray(np.mean(each, axis=0))


def probabilities(part: Any, rows: Any, count: int, shape: tuple[int, ...]) -> np.ndarray:
    """(count, classes) float64; a sigmoid output p becomes the columns 1 - p and p."""
    parts = []
    for start in range(0, count, ROWS_AT_A_TIME):
        positions = np.arange(start, min(start + ROWS_AT_A_TIME, count))
        batch = rows(positions).reshape(-1, *shape)
        parts.append(np.asarray(part(batch, training=False), np.float64))
    out = np.concatenate(parts)
    return np.concatenate([1 - out, out], axis=1) if out.shape[1] == 1 else out
