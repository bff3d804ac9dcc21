"""Random changes of a picture that leave its class as it is: one affine map, one interpolation.

Turned, shifted, sheared, zoomed and mirrored about the centre as Keras's ImageDataGenerator does
it, with the maps composed before any pixel is read. Drawing a map and applying it are apart, so
that training in a graph, cached views and a sheet to look at show the same picture.
"""

import math

import numpy as np

from tasks.pictures.opencv import cv2
from tasks.pictures.parameters import Augmentation, FillMode


def maps(
    augmentation: Augmentation, count: int, side: int, generator: np.random.Generator
) -> np.ndarray:
    """(count, 2, 3) float32: for each picture, where each output pixel comes from.

    (x, y) of the changed picture times the map gives (x, y) in the original, both in pixels of a
    `side` x `side` picture.
    """
    spread = np.array([
        math.radians(augmentation.rotation),
        augmentation.width_shift * side,
        augmentation.height_shift * side,
        math.radians(augmentation.shear),
        augmentation.zoom,
        augmentation.zoom,
    ])  # fmt: skip
    drawn = generator.uniform(-1.0, 1.0, (count, len(spread))) * spread
    mirrored = (generator.random(count) < 0.5) & augmentation.horizontal_flip
    return np.stack(
        [_map(one, side, flip=bool(flip)) for one, flip in zip(drawn, mirrored, strict=True)]
    ).astype(np.float32)


def _map(drawn: np.ndarray, side: int, *, flip: bool) -> np.ndarray:
    angle, x_shift, y_shift, shear, x_zoom, y_zoom = drawn
    cosine, sine = math.cos(angle), math.sin(angle)
    turn = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
    shift = np.array([[1, 0, x_shift], [0, 1, y_shift], [0, 0, 1]])
    slant = np.array([[math.cos(shear), 0, 0], [-math.sin(shear), 1, 0], [0, 0, 1]])
    zoom = np.diag([(1 + x_zoom) * (-1 if flip else 1), 1 + y_zoom, 1])
    middle = (side - 1) / 2
    centre = np.array([[1, 0, middle], [0, 1, middle], [0, 0, 1]])
    back = np.array([[1, 0, -middle], [0, 1, -middle], [0, 0, 1]])
    return (centre @ turn @ shift @ slant @ zoom @ back)[:2]


def warp(pixels: np.ndarray, one: np.ndarray, fill_mode: FillMode) -> np.ndarray:
    """The picture (side, side, channels), uint8 or float32, changed by one (2, 3) map."""
    edge = {
        "nearest": cv2.BORDER_REPLICATE,
        "reflect": cv2.BORDER_REFLECT,
        "constant": cv2.BORDER_CONSTANT,
    }
    height, width = pixels.shape[:2]
    changed = cv2.warpAffine(
        pixels,
        one,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=edge[fill_mode],
    )
    return changed.reshape(pixels.shape)
