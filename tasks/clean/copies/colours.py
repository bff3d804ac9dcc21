"""Whether two pictures that lie over each other have the same colours."""

import numpy as np

from tasks.clean.copies.geometry import laid

# Weaker colours (grey levels per pixel) are none.
FAINT = 4.0


def likeness(first: np.ndarray, second: np.ndarray, matrix: np.ndarray) -> float:
    """From 0, one has none or quite others, to 1, of (side, side, 3) RGB thumbnails.

    Light and dark do not count: colours are what differs between red, green and blue.
    """
    everywhere = np.ones(first.shape[:2], np.float32)
    over, common = laid(second, everywhere, matrix)
    one, other = (_colours(each)[common > 0] for each in (first.astype(np.float32), over))
    most = np.linalg.norm(one) + np.linalg.norm(other) + 2 * FAINT * np.sqrt(max(1, len(one)))
    return float(1 - np.linalg.norm(one - other) / most)


def _colours(rgb: np.ndarray) -> np.ndarray:
    found: np.ndarray = rgb - rgb.mean(axis=2, keepdims=True)
    return found
