"""Training pictures as training sees them: each as it is, then changed at random seven times."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from storage.errors import StorageDamaged
from storage.images import ImageStore
from tasks.pictures.augmentation import maps, warp
from tasks.pictures.parameters import Augmentation, Square
from tasks.pictures.resizing import grey, load, rounded
from tasks.publish.figures import picture_sheets

PICTURES = 4
CHANGED = 7
SEED = 7
PAGE_SIDE = 96


def changes(augmentation: Augmentation) -> bool:
    """Whether there is anything to look at."""
    amounts = augmentation.model_dump(exclude={"fill_mode"})
    return any(amounts.values())


def rows(
    store: ImageStore,
    split: pd.DataFrame,
    augmentation: Augmentation,
    square: Square,
    channels: int,
) -> list[np.ndarray]:
    """Up to PICTURES training pictures as a network gets them, each with CHANGED of its changes.

    (side, side, 3) uint8, grey where the network takes one channel. Always the same pictures; those
    that cannot be opened are passed over.
    """
    prepare = grey if channels == 1 else rounded
    generator = np.random.default_rng(SEED)
    images = split.loc[split["split"] == "train", "image"].sort_values().to_numpy()
    found: list[np.ndarray] = []
    for name in images[generator.permutation(len(images))[:PICTURES]]:
        drawn = maps(augmentation, CHANGED, square.side, generator)
        with contextlib.suppress(OSError, StorageDamaged):
            whole = prepare(load(store, str(name), square))
            found += [whole, *(warp(whole, one, augmentation.fill_mode) for one in drawn)]
    return [np.repeat(one, 3 // channels, axis=2) for one in found]


def save(path: Path, pictures: Sequence[np.ndarray]) -> None:
    """The rows as a PNG."""
    panels = [
        picture_sheets.Panel(pixels, "changed" if place % (CHANGED + 1) else "as it is")
        for place, pixels in enumerate(pictures)
    ]
    picture_sheets.save(path, panels, CHANGED + 1, "Training pictures, and changed as in training")


def grid(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """The rows as one picture without words."""
    return picture_sheets.grid(pictures, CHANGED + 1, PAGE_SIDE)
