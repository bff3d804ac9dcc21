"""What `clean` is told: what makes a picture usable."""

from typing import Literal

from pydantic import Field, PositiveInt

from tasks.features.parameters import Extraction
from tasks.pictures.parameters import MAX_PIXELS
from tasks.running.parameters import Parameters

Copies = Literal["edited", "resaved", "ignore"]


class Looking(Parameters):
    """The network whose features tell which pictures may be copies, and whether to keep them."""

    network: Extraction
    keep: bool


# EfficientNetLite0 as everybody sees it by default.
LOOKING = Looking(
    network=Extraction(
        backbone="EfficientNetLite0", image_size=224, mode="lite", runtime="openvino"
    ),
    keep=False,
)


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
    copies: Copies = Field(
        "edited",
        description="Pictures that must share a split. edited: copies that were mirrored, cropped, "
        "framed, captioned, …; resaved: those that were only saved again; ignore: none, not even "
        "the same bytes.",
    )
    small_classes: Literal["leave_out", "refuse"] = Field(
        "leave_out",
        description="What becomes of a class with fewer pictures than the split, or min_pictures, "
        "asks for: left out and counted, or an error.",
    )
    min_pictures: PositiveInt = Field(1, description="Usable pictures that a class needs.")
