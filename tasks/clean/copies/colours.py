"""Whether two pictures that lie over each other have the same colours."""

import numpy as np

from tasks.clean.copies.geometry import pixels_of_unit
from tasks.pictures.opencv import cv2

# Weaker colours (grey levels per pixel) are none.
FAINT = 4.0


def likeness(first: np.ndarray, second: np.ndarray, matrix: np.ndarray) -> float:
    """From 0, one has none or quite others, to 1, of (side, side, 3) RGB thumbnails.

    Light and dark do not count: colours are what differs between red, green and blue.
    """
    side = len(first)
    place, size = pixels_of_unit(matrix, side), (side, side)
    inverse = cv2.WARP_INVERSE_MAP
    laid = cv2.warpPerspective(
        second.astype(np.float32), place, size, flags=cv2.INTER_LINEAR | inverse,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    common = cv2.warpPerspective(
        np.ones(size, np.float32), place, size, flags=cv2.INTER_NEAREST | inverse
    )
    one, other = (_colours(each)[common > 0] for each in (first.astype(np.float32), laid))
    most = np.linalg.norm(one) + np.linalg.norm(other) + 2 * FAINT * np.sqrt(max(1, len(one)))
    return float(1 - np.linalg.norm(one - other) / most)


def _colours(rgb: np.ndarray) -> np.ndarray:
    found: np.ndarray = rgb - rgb.mean(axis=2, keepdims=True)
    return found
