"""An edit in words: what was done to one picture of a pair to make the other."""

import math
from typing import Any

import numpy as np

from tasks.clean.copies.finding import EDGES

# What is less than this could be the alignment's own error.
CROPPED, FRAMED, SQUASHED, RESIZED, TILTED, DEGREES = 0.03, 0.04, 1.06, 1.05, 0.06, 1.5
# Less alike colours than this are others; of what both show, more than this is something else.
OTHER_COLOURS, CHANGED = 0.6, 0.1
SCENE, RESAVED = "same scene", "saved again"
MIDDLE = np.array([0.5, 0.5, 1.0])


def matrix_of(pair: Any) -> np.ndarray:
    """The (3, 3) map of a pair, from the first's unit square to the second's, bars included."""
    within = np.array(
        [[getattr(pair, f"m{row}{column}") for column in range(3)] for row in range(3)]
    )
    found = _content(pair, "second") @ within @ np.linalg.inv(_content(pair, "first"))
    return found / found[2, 2]


def _content(pair: Any, which: str) -> np.ndarray:
    """From the unit square of what bars and frames leave to that of the picture."""
    top, bottom, left, right = (getattr(pair, f"{which}_{edge}") for edge in EDGES)
    return np.array([[right - left, 0, left], [0, bottom - top, top], [0, 0, 1]], float)


def as_text(matrix: np.ndarray) -> str:
    """Nine numbers, row by row."""
    return " ".join(f"{value:.6g}" for value in matrix.ravel())


def edit(pair: Any, first: tuple[int, int], second: tuple[int, int]) -> str:
    """`mirrored, 12 % cropped`; `first` and `second` are the pictures' widths and heights.

    Pictures of one scene, in which something moved, are no edits of each other: SCENE.
    """
    matrix = matrix_of(pair)
    turn = _middle(np.diag(second), matrix, np.diag(first))
    mirrored = np.linalg.det(turn) < 0
    if mirrored:
        turn = turn @ np.diag([-1.0, 1.0])
    degrees = math.degrees(math.atan2(turn[1, 0] - turn[0, 1], turn[0, 0] + turn[1, 1]))
    largest, smallest = np.linalg.svd(turn, compute_uv=False)
    cropped = 1 - min(pair.first, pair.second)
    tilted = np.abs(matrix[2, :2]).sum() > TILTED
    content = [np.linalg.det(_content(pair, which)) for which in ("first", "second")]
    moved = {
        "mirrored": mirrored,
        f"{cropped:.0%} cropped": cropped > CROPPED,
        "framed": abs(content[0] - content[1]) > FRAMED,
        f"turned by {abs(degrees):.0f}°": abs(degrees) > DEGREES,
        "tilted": tilted,
        "squashed": largest / smallest > SQUASHED and not tilted,
    }
    words = [word for word, holds in moved.items() if holds]
    if pair.changed > CHANGED:
        if not words:
            return SCENE
        words.append("partly changed")
    if pair.colours < OTHER_COLOURS:
        words.append("other colours")
    size = math.sqrt(largest * smallest)
    if not words and max(size, 1 / size) > RESIZED:
        words.append("resized")
    return ", ".join(words).replace("%", " %") or RESAVED


def _middle(there: np.ndarray, matrix: np.ndarray, here: np.ndarray) -> np.ndarray:
    """(2, 2): what the map does to pixels about the middle."""
    x, y, depth = matrix @ MIDDLE
    slope = (matrix[:2, :2] * depth - np.outer((x, y), matrix[2, :2])) / depth**2
    found: np.ndarray = there @ slope @ np.linalg.inv(here)
    return found
