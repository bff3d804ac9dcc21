"""What `clean` is told: what makes a picture usable."""

from typing import Literal

from pydantic import Field, PositiveInt

from tasks.pictures.parameters import MAX_PIXELS
from tasks.running.parameters import Parameters


class Needed(Parameters):
    """What the split to come asks of each class: so many pictures, or so many `different` ones."""

    pictures: PositiveInt = 1
    different: bool = True


class Clean(Parameters):
    """What makes a picture usable."""

    min_side: PositiveInt = Field(16, description="Smaller pictures are set aside (pixels).")
    max_pixels: PositiveInt = Field(
        MAX_PIXELS, le=MAX_PIXELS, description="Larger pictures (width x height) are set aside."
    )
    near_duplicates: bool = Field(default=True, description="Keep near-duplicates in one split.")
    small_classes: Literal["leave_out", "refuse"] = Field(
        "leave_out",
        description="What becomes of a class with fewer pictures than the split, or min_pictures, "
        "asks for: left out and counted, or an error.",
    )
    min_pictures: PositiveInt = Field(1, description="Usable pictures that a class needs.")
