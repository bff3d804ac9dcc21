"""How pictures may be changed and looked at, as experiments say it."""

from typing import Literal, NamedTuple

from pydantic import Field, TypeAdapter

from tasks.running.parameters import Parameters

# Larger pictures (width x height) are not decoded: as pixels they no longer fit a laptop.
MAX_PIXELS = 100_000_000

# What a network is shown for RGB in [0, 255]: how it was trained, or pixels divided by 255.
Mode = Literal["caffe", "tf", "torch", "lite", "none", "rescale"]
# Over which views predictions are averaged: none but the picture, or its mirror image as well.
Averaging = Literal["none", "mirror"]
# How a picture becomes a square.
Resize = Literal["squash", "pad", "crop"]
FillMode = Literal["nearest", "reflect", "constant"]


class Square(NamedTuple):
    """What every picture becomes: so many pixels on a side.

    Squashed; padded with black to a square before that; or cut to the square in its middle.
    """

    side: int
    resize: Resize = "squash"


def square_of(side: int, resize: str) -> Square:
    """The square that was written down so; ValueError for a way that there is not."""
    return Square(side, TypeAdapter(Resize).validate_python(resize))


class Augmentation(Parameters):
    """How far a picture may be changed; every amount is drawn evenly from minus to plus."""

    rotation: float = Field(0.0, ge=0, le=180, description="Degrees.")
    width_shift: float = Field(0.0, ge=0, lt=1, description="Share of the width.")
    height_shift: float = Field(0.0, ge=0, lt=1, description="Share of the height.")
    shear: float = Field(0.0, ge=0, lt=90, description="Degrees, as ImageDataGenerator has it.")
    zoom: float = Field(0.0, ge=0, lt=1, description="0.2 zooms from 0.8 to 1.2, each side apart.")
    horizontal_flip: bool = Field(default=False, description="Mirror every second picture.")
    fill_mode: FillMode = Field("nearest", description="What lies beyond the edge.")
