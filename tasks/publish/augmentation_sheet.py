"""Training pictures as training sees them: each as it is, then changed at random seven times."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from storage.errors import StorageDamaged
from storage.images import ImageStore
from tasks.augmentation import Augmentation, maps, warp
from tasks.extract.pixels import load, rounded
from tasks.publish import sheets

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

PICTURES = 4
CHANGED = 7
SEED = 7
PAGE_SIDE = 96


def changes(augmentation: Augmentation | None) -> bool:
    """Whether there is anything to look at."""
    if augmentation is None:
        return False
    amounts = augmentation.model_dump(exclude={"fill_mode"})
    return any(amounts.values())


def rows(
    store: ImageStore, split: "pd.DataFrame", augmentation: Augmentation, side: int
) -> "list[np.ndarray]":
    """Up to PICTURES training pictures as a network of `side` pixels gets them, with CHANGED each.

    Always the same ones; pictures that cannot be opened are passed over.
    """
    import numpy as np

    generator = np.random.default_rng(SEED)
    images = split.loc[split["split"] == "train", "image"].sort_values().to_numpy()
    found: list[np.ndarray] = []
    for name in images[generator.permutation(len(images))[:PICTURES]]:
        drawn = maps(augmentation, CHANGED, side, generator)
        with contextlib.suppress(OSError, StorageDamaged):
            square = rounded(load(store, str(name), side))
            found += [square, *(warp(square, one, augmentation.fill_mode) for one in drawn)]
    return found


def save(path: Path, pictures: "list[np.ndarray]") -> None:
    """The rows as a PNG."""
    panels = [
        sheets.Panel(pixels, "changed" if place % (CHANGED + 1) else "as it is")
        for place, pixels in enumerate(pictures)
    ]
    sheets.save(path, panels, CHANGED + 1, "Training pictures, and changed as in training")


def grid(pictures: "list[np.ndarray]") -> "np.ndarray":
    """The rows as one picture without words."""
    return sheets.grid(pictures, CHANGED + 1, PAGE_SIDE)
