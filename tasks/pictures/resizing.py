"""Stored pictures as the fixed-size pixels that a network takes."""

import contextlib
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.errors import StorageDamaged
from storage.features import PIXELS, FeatureSpace
from storage.images import ImageStore
from tasks.pictures.decoding import Problem, decode, opencv
from tasks.running import code_fingerprint

if TYPE_CHECKING:
    import numpy as np

RESIZING = "bilinear, half-pixel centres, float32"
# What decides a pixel's value: a changed line in these makes another feature space.
DECIDING = ("tasks.pictures.decoding", "tasks.pictures.views", __name__)
# Larger pictures (pixels) are resized one at a time: as floats one takes a gigabyte and a half.
LARGE = 16_000_000
# Weights of red, green and blue in a grey picture (ITU-R BT.601), as OpenCV has them.
GREY = (0.299, 0.587, 0.114)

_large = threading.Lock()


@dataclass(frozen=True)
class Pixels:
    """The pictures themselves as features, for networks that are trained from them."""

    image_size: int
    channels: int

    def prepare(self) -> "tuple[Callable[[np.ndarray], np.ndarray], FeatureSpace]":
        """(a function from float32 RGB pixels to uint8 ones, its feature space)."""
        space = FeatureSpace(
            backbone=PIXELS,
            weights="none",
            layer="last",
            image_size=self.image_size,
            resizing=RESIZING,
            preprocessing="none",
            precision="uint8",
            shape=(self.image_size, self.image_size, self.channels),
            code=code_fingerprint.fingerprint(__name__),
        )
        return (self._grey if self.channels == 1 else rounded), space

    def _grey(self, pixels: "np.ndarray") -> "np.ndarray":
        import numpy as np

        return rounded((pixels @ np.array(GREY, np.float32))[..., None])


def rounded(pixels: "np.ndarray") -> "np.ndarray":
    """float32 in [0, 255] to the nearest uint8."""
    import numpy as np

    return np.rint(pixels).clip(0, 255).astype(np.uint8)


def resized(rgb: "np.ndarray", side: int) -> "np.ndarray":
    """(side, side, 3) float32 in [0, 255]: what `keras.layers.Resizing` gives, to within 0.01.

    Half-pixel bilinear on floats, so that a saved model that resizes by itself sees the same.
    """
    cv2 = opencv()
    import numpy as np

    with _large if rgb.shape[0] * rgb.shape[1] > LARGE else contextlib.nullcontext():
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
