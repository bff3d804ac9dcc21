"""Pictures and maps made smaller for the eye: areas are averaged, nothing is enlarged."""

from typing import TYPE_CHECKING

from tasks.pictures.decoding import opencv

if TYPE_CHECKING:
    import numpy as np


def shrunk(pixels: "np.ndarray", side: int) -> "np.ndarray":
    """(height, width) or (height, width, channels), no longer than `side`, its aspect kept."""
    longest = max(pixels.shape[:2])
    if longest <= side:
        return pixels
    cv2 = opencv()
    size = [max(1, round(length * (side / longest))) for length in pixels.shape[1::-1]]
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
