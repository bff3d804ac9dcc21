"""Views of a picture: as it is, mirrored, or changed at random; each is extracted once and kept.

A view's name is the picture's, then `~` and what was done: whichever experiment asks for the same
view finds it.
"""

import numpy as np

from storage import digests
from tasks.pictures.augmentation import maps, warp
from tasks.pictures.parameters import Augmentation

PLAIN = ""
MIRROR = "mirror"
MARK = "~"
# Part of every view's name, which seeds its changes: to be changed only with how they are drawn,
# since every published figure of an experiment with views was measured on views drawn so.
DRAWN_BY = "0957fdf93e2f3161"


def augmented(augmentation: Augmentation | None, count: int, seed: int) -> tuple[str, ...]:
    """The names of `count` random views; they say how they were drawn."""
    if augmentation is None:
        return ()
    drawn = digests.of_value([augmentation.model_dump(mode="json"), seed, DRAWN_BY])[:8]
    return tuple(f"{drawn}-{number}" for number in range(1, count + 1))


def named(image: str, view: str) -> str:
    """Under which name the features of an image's view are kept."""
    return f"{image}{MARK}{view}" if view else image


def parted(name: str) -> tuple[str, str]:
    """(image, view) of a name."""
    image, _, view = name.partition(MARK)
    return image, view


def seen(pixels: np.ndarray, name: str, augmentation: Augmentation | None) -> np.ndarray:
    """The pixels (side, side, 3) of the view that `name` stands for."""
    _, view = parted(name)
    if view == PLAIN:
        return pixels
    if view == MIRROR:
        return np.ascontiguousarray(pixels[:, ::-1])
    assert augmentation is not None, name
    generator = np.random.default_rng(int(digests.of_value(name)[:16], 16))
    (one,) = maps(augmentation, 1, len(pixels), generator)
    return warp(pixels, one, augmentation.fill_mode)
