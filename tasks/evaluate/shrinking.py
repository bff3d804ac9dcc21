"""Pictures and maps made smaller for the eye: areas are averaged, nothing is enlarged."""

import numpy as np

from tasks.pictures.opencv import cv2


def shrunk(pixels: np.ndarray, side: int) -> np.ndarray:
    """(height, width) or (height, width, channels), no longer than `side`, its aspect kept."""
    longest = max(pixels.shape[:2])
    if longest <= side:
        return pixels
    size = [max(1, round(length * (side / longest))) for length in pixels.shape[1::-1]]
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
