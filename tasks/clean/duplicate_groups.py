"""Which pictures are (nearly) the same: groups that must share a split.

Candidates are pairs whose perceptual hashes differ in at most `HASH_DISTANCE` bits, found exactly
by the pigeonhole principle; a pair counts only if the thumbnails also correlate. The hash alone
joins different pictures of alike composition (motorbikes on white, Caltech-101), the correlation
alone would have to compare every pair. Where only the bold hashes are close, the details of the
thumbnails have to correlate: two skies, two lit surfaces or two X-rays have their light in common.
All look at brightness only: a grey copy of a picture must not be tested on either. Whether it is a
conflict that two labels share a group is judged in colour, since colour may be what tells the
classes apart.
"""

import math
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

import numpy as np

HASH_BITS = 64
HASH_DISTANCE = 4
CORRELATION = 0.99
MEMBERS_COMPARED = 2000
MOST_UNLIKE = 50
PAIRS_AT_A_TIME = 2**15
ROWS_AT_A_TIME = 4096
# Light and shade of a thumbnail: the polynomial of this degree that comes nearest to it.
LIGHT_DEGREE = 4


def groups(hashes: np.ndarray, thumbnails: np.ndarray) -> np.ndarray:
    """(n,) group numbers: equal for pictures joined by a chain of near-duplicate pairs.

    `hashes` is (n, 2) uint64, the perceptual hash and the bold one; `thumbnails` (n, pixels)
    brightness.
    """
    numbers = np.arange(len(hashes))
    for column, looked_at in enumerate((thumbnails, details(thumbnails))):
        unit = _unit(looked_at)
        found, count = [], 0
        for rows, columns in _candidates(hashes[:, column]):
            # Among thousands that are alike nearly every pair says nothing new.
            apart = numbers[rows] != numbers[columns]
            pairs = np.stack([rows[apart], columns[apart]])
            same = np.einsum("ij,ij->i", unit[pairs[0]], unit[pairs[1]]) >= CORRELATION
            found.append(pairs[:, same])
            count += int(same.sum())
            if count >= PAIRS_AT_A_TIME:
                numbers, found, count = joined(numbers, found), [], 0
        numbers = joined(numbers, found)
    return numbers


def unlike(thumbnails: np.ndarray) -> list[int]:
    """Places of some thumbnails, MOST_UNLIKE at most: every other one is the same as one of these.

    They are (n, pixels) brightness.
    """
    found: list[int] = []
    unit, left = _unit(thumbnails), np.arange(len(thumbnails))
    while len(left) and len(found) < MOST_UNLIKE:
        found.append(int(left[0]))
        left = left[unit[left] @ unit[left[0]] < CORRELATION]
        left = left[left != found[-1]]
    return found


def joined(numbers: np.ndarray, found: list[np.ndarray]) -> np.ndarray:
    """Group numbers after the groups that these (2, pairs) arrays connect have become one."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not found:
        return numbers
    first, second = numbers[np.concatenate(found, axis=1)]
    links = coo_array((np.ones(len(first), bool), (first, second)), shape=(len(numbers),) * 2)
    merged: np.ndarray = connected_components(links, directed=False)[1]
    return merged[numbers]


def details(thumbnails: np.ndarray) -> np.ndarray:
    """(n, pixels) float32: square thumbnails without the light and shade that lie over them.

    These are the polynomial of LIGHT_DEGREE in both coordinates that is nearest to a thumbnail.
    """
    values, basis = thumbnails.astype(np.float32), _light(math.isqrt(thumbnails.shape[1]))
    return values - (values @ basis) @ basis.T


@cache
def _light(side: int) -> np.ndarray:
    """(pixels, terms) float32: an orthonormal basis of light and shade on a square."""
    places = np.linspace(-1, 1, side)
    across, down = (one.ravel() for one in np.meshgrid(places, places))
    powers = [(i, j) for i in range(LIGHT_DEGREE + 1) for j in range(LIGHT_DEGREE + 1 - i)]
    basis = np.linalg.qr(np.stack([across**i * down**j for i, j in powers], axis=1))[0]
    return basis.astype(np.float32)


def brightness(thumbnails: np.ndarray) -> np.ndarray:
    """(n, pixels) float32 luma (ITU-R BT.601) of (n, pixels * 3) uint8 RGB thumbnails."""
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    pixels = thumbnails.reshape(len(thumbnails), -1, 3)
    found = np.empty(pixels.shape[:2], np.float32)
    for start in range(0, len(pixels), ROWS_AT_A_TIME):  # floats of all colours would take 3 times
        some = slice(start, start + ROWS_AT_A_TIME)
        found[some] = pixels[some].astype(np.float32) @ weights
    return found


def same_in_colour(thumbnails: np.ndarray, labels: np.ndarray) -> bool:
    """Whether two of these (n, pixels * 3) thumbnails, with different labels, also agree in colour.

    Of a very large group the first MEMBERS_COMPARED are looked at.
    """
    unit, names = _unit(thumbnails[:MEMBERS_COMPARED]), labels[:MEMBERS_COMPARED]
    alike = unit @ unit.T >= CORRELATION
    return bool((alike & (names[:, None] != names[None, :])).any())


def same_as_any(thumbnails: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(n,) bool: which of these thumbnails agree in colour with one of the others."""
    unit, transposed = _unit(thumbnails), _unit(others).T
    step = max(1, PAIRS_AT_A_TIME // len(others))
    starts = range(0, len(unit), step)
    return np.concatenate(
        [(unit[start : start + step] @ transposed).max(axis=1) >= CORRELATION for start in starts]
    )


def _unit(thumbnails: np.ndarray) -> np.ndarray:
    centred = thumbnails.astype(np.float32)
    centred -= centred.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    # A picture of one colour correlates with nothing; give all of those the same direction.
    flat = length[:, 0] < 1e-3
    centred[flat] = 1.0
    return centred / np.where(flat[:, None], np.sqrt(thumbnails.shape[1]), length)


def _candidates(hashes: np.ndarray) -> Iterator[tuple["np.ndarray", "np.ndarray"]]:
    """Every pair of close hashes, once.

    Such a pair agrees in at least one of HASH_DISTANCE + 1 bands of bits; it is found in the first.
    """
    edges = [HASH_BITS * band // (HASH_DISTANCE + 1) for band in range(HASH_DISTANCE + 2)]
    masks = [np.uint64((1 << high) - (1 << low)) for low, high in pairwise(edges)]
    for number, mask in enumerate(masks):
        order = np.argsort(hashes & mask, kind="stable")
        breaks = np.flatnonzero(np.diff(hashes[order] & mask)) + 1
        for bucket in np.split(order, breaks):
            for rows, columns in _pairs_within(bucket):
                differ = hashes[rows] ^ hashes[columns]
                close = np.bitwise_count(differ) <= HASH_DISTANCE
                for earlier in masks[:number]:
                    close &= (differ & earlier) != 0
                if close.any():
                    yield rows[close], columns[close]


def _pairs_within(bucket: np.ndarray) -> Iterator[tuple["np.ndarray", "np.ndarray"]]:
    """Pairs of one sorted bucket, some at a time: thousands of pictures may look alike."""
    step = max(1, PAIRS_AT_A_TIME // max(1, len(bucket)))
    for start in range(0, len(bucket) - 1, step):
        rows = np.arange(start, min(start + step, len(bucket)))
        first, second = np.nonzero(rows[:, None] < np.arange(start, len(bucket))[None, :])
        yield bucket[rows[first]], bucket[start + second]
