"""Laying one picture over another: the map that makes them correlate most.

Evangelidis and Psarakis, Parametric Image Alignment Using Enhanced Correlation Coefficient
Maximization (2008): first any affine map (at half the size), then any view of a plane.
"""

import numpy as np

from tasks.clean.copies.geometry import corners, pixels_of_unit, unit_of_pixels
from tasks.pictures.opencv import cv2

AFFINE_STEPS, VIEW_STEPS = 40, 25
LEAST_GAIN = 1e-3
SMOOTHED = 5


def roughly(first: np.ndarray, second: np.ndarray, start: np.ndarray) -> np.ndarray:
    """An affine map from `first`'s unit square to `second`'s, both (side, side) uint8."""
    return _improved(first, second, start, cv2.MOTION_AFFINE, AFFINE_STEPS)


def closely(
    first: np.ndarray, second: np.ndarray, rough: np.ndarray, where: np.ndarray | None = None
) -> np.ndarray:
    """The view of a plane that fits better than `rough`; of `second` only `where` counts."""
    return _improved(first, second, rough, cv2.MOTION_HOMOGRAPHY, VIEW_STEPS, where)


def _improved(
    first: np.ndarray,
    second: np.ndarray,
    start: np.ndarray,
    motion: int,
    steps: int,
    where: np.ndarray | None = None,
) -> np.ndarray:
    """A better map, or `start` where there is none."""
    side = len(first)
    rows = 2 if motion == cv2.MOTION_AFFINE else 3
    begun = pixels_of_unit(start, side)[:rows].astype(np.float32)
    until = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, steps, LEAST_GAIN)
    try:
        _, found = cv2.findTransformECC(first, second, begun, motion, until, where, SMOOTHED)
    except cv2.error:  # it does not converge: they have nothing in common there
        return start
    whole = np.eye(3)
    whole[:rows] = found
    better = unit_of_pixels(whole, side)
    return start if corners(better) is None else better
