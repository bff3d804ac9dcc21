"""What `clean` is told: what makes a picture usable."""

from pydantic import Field, PositiveInt

from tasks.pictures.parameters import MAX_PIXELS
from tasks.running.parameters import Parameters


class Clean(Parameters):
    """What makes a picture usable."""

    min_side: PositiveInt = Field(16, description="Smaller pictures are set aside (pixels).")
    max_pixels: PositiveInt = Field(
        MAX_PIXELS, le=MAX_PIXELS, description="Larger pictures (width x height) are set aside."
    )
    near_duplicates: bool = Field(default=True, description="Keep near-duplicates in one split.")
