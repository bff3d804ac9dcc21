"""The pixels of views by name: a picture is decoded once for views that follow each other."""

from collections.abc import Callable
from functools import cache, lru_cache, partial
from threading import Lock

import numpy as np

from storage.images import ImageStore
from tasks.pictures import resizing
from tasks.pictures.parameters import Augmentation, Square
from tasks.pictures.views import parted, seen


def loader(
    images: ImageStore, square: Square, augmentation: Augmentation | None, *, held: int
) -> Callable[[str], np.ndarray]:
    """A function from a view's name to its pixels.

    The last `held` pictures are kept: a picture is decoded once for views that follow each other,
    however many threads ask for them.
    """
    looking_up = Lock()

    @lru_cache(held)
    def entry(image: str) -> tuple[Lock, Callable[[], np.ndarray]]:
        return Lock(), cache(partial(resizing.load, images, image, square))

    def load(name: str) -> np.ndarray:
        # A cache alone lets every thread decode a picture that none has finished yet.
        with looking_up:
            decoding, picture = entry(parted(name)[0])
        with decoding:
            found = picture()
        return seen(found, name, augmentation)

    return load
