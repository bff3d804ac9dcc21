"""A picture as a few hundred small numbers: pictures that are alike have alike ones.

Two kinds, since each finds what the other misses. Of a network's last maps: generalised means
(Radenović, Tolias and Chum 2019) projected to fewer dimensions by random signs, which keeps angles
(Johnson and Lindenstrauss 1984; Achlioptas 2003). They know a cropped or captioned picture again.
Of a thumbnail: its details. They know a blurred one again, or one that was drawn over all over.
"""

from functools import cache

import numpy as np

from tasks.clean.duplicate_groups import details
from tasks.pictures.opencv import cv2

THUMBNAIL = 16
DIMENSIONS = THUMBNAIL * THUMBNAIL
POWER = 3
SEED = 20_170_311
# A component of a unit vector of 256 is a sixteenth on average: six times that is 127.
SCALE = 127 * 16 / 6
# Weaker contrast in a thumbnail (grey levels, all pixels taken together) describes nothing.
FAINT = 40.0
# Pairs whose descriptors are held as floats: two kilobytes each.
AT_A_TIME = 10_000


def of_maps(maps: np.ndarray) -> np.ndarray:
    """(n, height, width, channels) maps, nowhere negative, to (n, DIMENSIONS) int8."""
    values = np.maximum(maps.astype(np.float32), 0)
    means = np.mean(values**POWER, axis=(1, 2)) ** (1 / POWER)
    return _small(means @ _signs(means.shape[1]), least=1e-6)


def of_pictures(greys: np.ndarray) -> np.ndarray:
    """(n, side, side) uint8 to (n, DIMENSIONS) int8; zeros of a picture without contrast."""
    size = (THUMBNAIL, THUMBNAIL)
    small = [cv2.resize(one, size, interpolation=cv2.INTER_AREA).ravel() for one in greys]
    return _small(details(np.stack(small)), least=FAINT)


def mirrored(descriptors: np.ndarray) -> np.ndarray:
    """What `of_pictures` would give of the pictures' mirror images."""
    square = descriptors.reshape(-1, THUMBNAIL, THUMBNAIL)
    return np.ascontiguousarray(square[:, :, ::-1]).reshape(-1, DIMENSIONS)


def cosines(first: np.ndarray, second: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """(m,) between rows of two (n, DIMENSIONS) tables, for (m, 2) `pairs` of a row of each.

    0 where one is nothing.
    """
    found = np.empty(len(pairs), np.float32)
    for start in range(0, len(pairs), AT_A_TIME):
        one, other = (
            table[places].astype(np.float32)
            for table, places in zip(
                (first, second), pairs[start : start + AT_A_TIME].T, strict=True
            )
        )
        lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
        products = np.einsum("ij,ij->i", one, other)
        found[start : start + AT_A_TIME] = products / np.maximum(lengths, 1)
    return found


def _small(vectors: np.ndarray, least: float) -> np.ndarray:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.where(length < least, 0, vectors / np.maximum(length, least))
    return np.rint(unit * SCALE).clip(-127, 127).astype(np.int8)


@cache
def _signs(channels: int) -> np.ndarray:
    """(channels, DIMENSIONS) of plus and minus one, the same on every machine."""
    # The raw numbers of a bit generator are promised to stay; a Generator's methods are not.
    bits = np.random.PCG64(SEED).random_raw(channels * DIMENSIONS) >> np.uint64(63)
    return (2.0 * bits - 1).astype(np.float32).reshape(channels, DIMENSIONS)
