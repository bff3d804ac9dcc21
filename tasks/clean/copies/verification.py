"""Whether one picture is a copy of another: by pixels alone."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from tasks.clean.copies import alignment
from tasks.clean.copies.agreement import HOPELESS, Agreement, Canvas, agreed, agreement, hopeless
from tasks.clean.copies.geometry import corners

# Less agreement than this after an alignment is not mended by another about there.
NEAR = 0.6
# Two maps whose corners (in unit squares) lie nearer than this lead to the same place.
SAME_MAP = 0.02
# Where less than this of a picture agrees, there is nothing to align by.
LEAST_AGREED = 0.3


class Verdict(NamedTuple):
    """The best agreement found, and the map from the first's unit square to the second's."""

    agreement: Agreement
    matrix: np.ndarray


NOTHING = Verdict(Agreement(0.0, 0.0, 0.0), np.eye(3))


def verdict(
    first: Canvas, second: Canvas, starts: Iterable[np.ndarray], least: float = HOPELESS
) -> Verdict:
    """Of two pictures, aligned from each of these maps until they are found to be copies.

    A rough alignment that agrees less than `least` is given up.
    """
    if not (first.is_detailed and second.is_detailed):
        return NOTHING
    best, halves = NOTHING, (first.halved, second.halved)
    tried: list[np.ndarray] = []
    for start in starts:
        rough = alignment.roughly(halves[0].grey, halves[1].grey, start)
        where = corners(rough)
        if where is None or any(np.abs(where - other).max() < SAME_MAP for other in tried):
            continue
        tried.append(where)
        if hopeless(*halves, rough, least):
            continue
        for matrix in _maps(first, second, start, rough):
            found = Verdict(agreement(first, second, matrix), matrix)
            best = max(best, found, key=_merit)
            if best.agreement.copies:
                return best
            if found.agreement.correlation < NEAR:
                break
    return best


def _merit(found: Verdict) -> tuple[bool, float]:
    return found.agreement.copies, found.agreement.correlation


def _maps(
    first: Canvas, second: Canvas, start: np.ndarray, rough: np.ndarray
) -> Iterator[np.ndarray]:
    """Better and better ones; words over a picture draw an alignment away from where it began."""
    close = alignment.closely(first.grey, second.grey, rough)
    yield close
    where = agreed(first, second, close)
    if where.mean() >= LEAST_AGREED:
        yield alignment.closely(first.grey, second.grey, close, where)
    yield start
