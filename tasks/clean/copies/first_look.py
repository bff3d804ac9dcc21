"""A cheap look at two pictures: could one be laid over the other, and about where?

The middle of each, at several widths and heights, as it is and mirrored, is looked for in the other
(normalised cross-correlation of small thumbnails).
"""

from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np

from tasks.clean.copies.geometry import unit_of_pixels
from tasks.pictures.opencv import cv2

SIDE = 24
MIDDLE = 12
# How much wider and higher one may show things than the other.
ZOOMS = (0.7, 0.85, 1.0, 1.18, 1.4)
MOST_SQUASHED = 1.9
# Weaker contrast than this many grey levels counts for less: it is noise.
FAINT = 2.0
POSITIONS = SIDE - MIDDLE + 1


class Sight(NamedTuple):
    """How well a picture's middle was found in another, and the map between them.

    `matrix` is (3, 3), from the first picture's unit square to the second's.
    """

    correlation: float
    matrix: np.ndarray


class Thumbnail(NamedTuple):
    """A picture ready to be looked for, and looked at: unit vectors of its middles and places."""

    middles: np.ndarray
    places: np.ndarray


def thumbnail(grey: np.ndarray) -> Thumbnail:
    """Of a square grey picture."""
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(small, (MIDDLE, MIDDLE))
    return Thumbnail(_unit(_middles(small)), _unit(windows.reshape(-1, MIDDLE * MIDDLE)))


def look(first: Thumbnail, second: Thumbnail) -> Sight:
    """The best place of either's middle in the other."""
    there, back = second.places @ first.middles.T, first.places @ second.middles.T
    if there.max() >= back.max():
        return Sight(float(there.max()), np.linalg.inv(_matrix(int(there.argmax()))))
    return Sight(float(back.max()), _matrix(int(back.argmax())))


@cache
def _shapes() -> list[tuple[float, float]]:
    """Widths and heights of what is taken for a middle, in thumbnails' halves."""
    return [
        (wide, high)
        for wide, high in product(ZOOMS, ZOOMS)
        if max(wide / high, high / wide) < MOST_SQUASHED
    ]


def _middles(small: np.ndarray) -> np.ndarray:
    """(2 * shapes, MIDDLE ** 2): each shape as it is, then mirrored."""
    found = []
    for wide, high in _shapes():
        corner = [(SIDE - MIDDLE * zoom + zoom - 1) / 2 for zoom in (wide, high)]
        place = np.array([[wide, 0, corner[0]], [0, high, corner[1]]], np.float32)
        middle = cv2.warpAffine(
            small, place, (MIDDLE, MIDDLE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        found += [middle, middle[:, ::-1]]
    return np.stack(found).reshape(len(found), -1)


def _unit(rows: np.ndarray) -> np.ndarray:
    centred = rows - rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    return centred / (length + MIDDLE * FAINT)


def _matrix(best: int) -> np.ndarray:
    """From the unit square where a middle was found to that of the picture that it is of."""
    position, number = divmod(best, 2 * len(_shapes()))
    row, column = divmod(position, POSITIONS)
    wide, high = _shapes()[number // 2]
    found = np.array(
        [
            [wide, 0, SIDE / 2 - MIDDLE * wide / 2 - wide * column],
            [0, high, SIDE / 2 - MIDDLE * high / 2 - high * row],
            [0, 0, 1.0],
        ]
    )
    if number % 2:
        found[0] = [-wide, 0, SIDE / 2 + MIDDLE * wide / 2 + wide * column]
    return unit_of_pixels(found, SIDE, offset=0.0)
