"""The pictures themselves as features, for networks that are trained from them."""

from dataclasses import dataclass

from storage.features import PIXELS, FeatureSpace
from tasks.features.prepared import Prepared
from tasks.pictures.parameters import Resize
from tasks.pictures.resizing import RESIZING, grey, rounded
from tasks.running import code_fingerprint


@dataclass(frozen=True)
class Pixels:
    """The pictures themselves as features, for networks that are trained from them."""

    image_size: int
    channels: int
    resize: Resize = "squash"

    def prepare(self) -> Prepared:
        """Ready to make whole numbers of pixels."""
        space = FeatureSpace(
            backbone=PIXELS,
            weights="none",
            layer="last",
            image_size=self.image_size,
            resizing=RESIZING,
            resize=self.resize,
            preprocessing="none",
            precision="uint8",
            shape=(self.image_size, self.image_size, self.channels),
            code=code_fingerprint.fingerprint("tasks.pictures"),
        )
        return Prepared(space, each=grey if self.channels == 1 else rounded)
