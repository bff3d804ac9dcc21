"""Stored pictures as the fixed-size pixels that a network takes."""

import contextlib
import sys
import threading

import numpy as np

from storage.errors import StorageDamaged
from storage.images import ImageStore
from tasks.pictures.decoding import Problem, decode
from tasks.pictures.opencv import cv2
from tasks.pictures.parameters import MAX_PIXELS, Resize, Square

RESIZING = "JPEGs at the decoder's scale of twice the side, bilinear, half-pixel centres, float32"
# How many times the side that is wanted a JPEG is decoded at, at the least.
TIMES = 2
# Larger pictures (pixels) are resized one at a time: as floats one takes a gigabyte and a half.
LARGE = 16_000_000
# Weights of red, green and blue in a grey picture (ITU-R BT.601), as OpenCV has them.
GREY = (0.299, 0.587, 0.114)

_large = threading.Lock()


def rounded(pixels: np.ndarray) -> np.ndarray:
    """float32 in [0, 255] to the nearest uint8."""
    return np.rint(pixels).clip(0, 255).astype(np.uint8)


def resized(rgb: np.ndarray, square: Square) -> np.ndarray:
    """(side, side, 3) float32 in [0, 255]: what `keras.layers.Resizing` gives, to within 0.01.

    Half-pixel bilinear on floats, so that a saved model that resizes by itself sees the same.
    """
    size = square.side, square.side
    with _large if rgb.shape[0] * rgb.shape[1] > LARGE else contextlib.nullcontext():
        framed = _framed(rgb.astype(np.float32), square.resize)
        return cv2.resize(framed, size, interpolation=cv2.INTER_LINEAR)


def _framed(rgb: np.ndarray, resize: Resize) -> np.ndarray:
    """The part that is squashed, or with it what is around; of an odd edge Keras leaves out one."""
    height, width = rgb.shape[:2]
    if resize == "crop":
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        return rgb[top : top + side, left : left + side]
    if resize == "pad":
        side = max(height, width)
        above, before = (side - height) // 2, (side - width) // 2
        return cv2.copyMakeBorder(rgb, above, above, before, before, cv2.BORDER_CONSTANT, value=0)
    return rgb


def shown(data: bytes, square: Square, max_pixels: int = MAX_PIXELS) -> np.ndarray | Problem:
    """A picture's bytes as `resized` gives it; large JPEGs are decoded no larger than need be."""
    rgb = decode(data, max_pixels, enough=TIMES * square.side)
    return rgb if isinstance(rgb, Problem) else resized(rgb, square)


def load(images: ImageStore, name: str, square: Square) -> np.ndarray:
    """Pixels of a stored image that `clean` found usable."""
    # How many pixels are too many was for `clean` to say.
    pixels = shown(images.read(name), square, max_pixels=sys.maxsize)
    if isinstance(pixels, Problem):
        raise StorageDamaged(
            f"{images.path(name)} does not decode any more ({pixels.status}: {pixels.reason}): "
            "delete it and run again, it will be fetched from its source"
        )
    return pixels


def grey(pixels: np.ndarray) -> np.ndarray:
    """(side, side, 3) RGB to (side, side, 1) uint8."""
    return rounded((pixels @ np.array(GREY, np.float32))[..., None])
