"""Stored pictures as pixels for a figure."""

from typing import TYPE_CHECKING

from storage.images import ImageStore
from tasks.evaluate.shrinking import shrunk
from tasks.pictures.decoding import Problem, decode

if TYPE_CHECKING:
    import numpy as np

SIDE = 480


def pixels_of(store: ImageStore, name: str, side: int = SIDE) -> "np.ndarray | None":
    """(height, width, 3) uint8 RGB, no longer than `side`; None if it is gone or damaged."""
    try:
        pixels = decode(store.read(name))
    except OSError:
        return None
    if isinstance(pixels, Problem):
        return None
    return shrunk(pixels, side)
