"""Stored pictures as the fixed-size pixels that a backbone takes."""

import sys
from typing import TYPE_CHECKING

from storage.errors import StorageDamaged
from storage.images import ImageStore
from tasks.decode import Problem, decode, opencv

if TYPE_CHECKING:
    import numpy as np


def resized(rgb: "np.ndarray", side: int) -> "np.ndarray":
    """(side, side, 3) float32 in [0, 255]: what `keras.layers.Resizing` gives, to within 0.01.

    Half-pixel bilinear on floats, so that a saved model that resizes by itself sees the same.
    """
    cv2 = opencv()
    import numpy as np

    return cv2.resize(rgb.astype(np.float32), (side, side), interpolation=cv2.INTER_LINEAR)


def load(images: ImageStore, name: str, side: int) -> "np.ndarray":
    """Pixels of a stored image that `clean` found usable."""
    # How many pixels are too many was for `clean` to say.
    rgb = decode(images.read(name), max_pixels=sys.maxsize)
    if isinstance(rgb, Problem):
        raise StorageDamaged(
            f"{images.path(name)} does not decode any more ({rgb.status}: {rgb.reason}): delete it "
            "and run again, it will be fetched from its source"
        )
    return resized(rgb, side)
