"""The pictures themselves as features, for networks that are trained from them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from storage.features import PIXELS, FeatureSpace
from tasks.pictures.resizing import RESIZING, grey, rounded
from tasks.running import code_fingerprint


@dataclass(frozen=True)
class Pixels:
    """The pictures themselves as features, for networks that are trained from them."""

    image_size: int
    channels: int

    def prepare(self) -> tuple[Callable[[np.ndarray], np.ndarray], FeatureSpace]:
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
            code=code_fingerprint.fingerprint("tasks.pictures"),
        )
        return (grey if self.channels == 1 else rounded), space
