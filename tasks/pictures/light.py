"""How light, colourful and sharp a picture is, in five numbers."""

from typing import NamedTuple

import numpy as np

from tasks.pictures.opencv import cv2

# Of the grey levels, dark to light: the ends that a few black or white pixels do not move.
LOW_END, HIGH_END = 0.05, 0.95


class Light(NamedTuple):
    """`darkest` and `lightest` are grey levels (0 to 255) that 5 and 95 % of the pixels are below.

    `contrast` is the deviation of the grey levels, `colour` the mean distance between the strongest
    and the weakest of red, green and blue, `sharpness` the logarithm of the variance of the
    Laplacian: comparable for pictures of one size.
    """

    darkest: float
    lightest: float
    contrast: float
    colour: float
    sharpness: float


MEASURES = Light._fields


def light_of(rgb: np.ndarray) -> Light:
    """Of (height, width, 3) uint8."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    shares = np.cumsum(cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel()) / grey.size
    darkest, lightest = np.searchsorted(shares, (LOW_END, HIGH_END))
    red, green, blue = cv2.split(rgb)
    spread = cv2.max(cv2.max(red, green), blue) - cv2.min(cv2.min(red, green), blue)
    _, deviation = cv2.meanStdDev(grey)
    _, edges = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_32F))
    return Light(
        float(darkest),
        float(lightest),
        float(deviation.item()),
        float(spread.mean()),
        float(np.log1p(edges.item() ** 2)),
    )
