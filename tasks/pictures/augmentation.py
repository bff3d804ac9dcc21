"""Random changes of a picture that leave its class as it is: one affine map, one interpolation.

Turned, shifted, sheared, zoomed and mirrored about the centre as Keras's ImageDataGenerator does
it, with the maps composed before any pixel is read. Drawing a map and applying it are apart, so
that training in a graph, cached views and a sheet to look at show the same picture.
"""

import math
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from tasks.pictures.decoding import opencv

if TYPE_CHECKING:
    import numpy as np

FillMode = Literal["nearest", "reflect", "constant"]


class Augmentation(BaseModel):
    """How far a picture may be changed; every amount is drawn evenly from minus to plus."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rotation: float = Field(0.0, ge=0, le=180, description="Degrees.")
    width_shift: float = Field(0.0, ge=0, lt=1, description="Share of the width.")
    height_shift: float = Field(0.0, ge=0, lt=1, description="Share of the height.")
    shear: float = Field(0.0, ge=0, lt=90, description="Degrees, as ImageDataGenerator has it.")
    zoom: float = Field(0.0, ge=0, lt=1, description="0.2 zooms from 0.8 to 1.2, each side apart.")
    horizontal_flip: bool = Field(default=False, description="Mirror every second picture.")
    fill_mode: FillMode = Field("nearest", description="What lies beyond the edge.")


def maps(
    augmentation: Augmentation, count: int, side: int, generator: "np.random.Generator"
) -> "np.ndarray":
    """(count, 2, 3) float32: for each picture, where each output pixel comes from.

    (x, y) of the changed picture times the map gives (x, y) in the original, both in pixels of a
    `side` x `side` picture.
    """
    import numpy as np

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


def _map(drawn: "np.ndarray", side: int, *, flip: bool) -> "np.ndarray":
    import numpy as np

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


def warp(pixels: "np.ndarray", one: "np.ndarray", fill_mode: FillMode) -> "np.ndarray":
    """The picture (side, side, channels), uint8 or float32, changed by one (2, 3) map."""
    cv2 = opencv()
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
