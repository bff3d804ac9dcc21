"""Pairs of candidates, compared: first at a glance, then closely."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import chain

import numpy as np
from threadpoolctl import threadpool_limits

from tasks.clean.copies.agreement import HOPELESS, HOPELESS_IF_LIKELY, canvas
from tasks.clean.copies.candidates import Candidates
from tasks.clean.copies.colours import likeness
from tasks.clean.copies.first_look import look, thumbnail
from tasks.clean.copies.geometry import MIRROR, turned
from tasks.clean.copies.looks import Looks
from tasks.clean.copies.verification import NOTHING, Verdict, verdict
from tasks.running.progress import Advance

# A first look's correlation and the cosine of the maps together; below, they are not compared.
PROMISING = 1.48
# Above, it is tried harder.
VERY_PROMISING = 1.62
# A cosine of thumbnails that needs no first look: they lie as they are, or mirrored.
ALIKE = 0.55
# Such pairs are not given up after a rough alignment that agrees less (see agreement.hopeless).
LIKELY = 0.45
# Degrees that an alignment is begun with where it fails as it is: it does not find more by itself.
TURNS = (5.0, -5.0)
# Pictures held ready: some 400 and 120 kilobytes each.
CANVASES, THUMBNAILS = 800, 1600
PAIRS_AT_A_TIME = 256


def compared(looks: Looks, found: Candidates, advance: Advance) -> Iterator[Verdict]:
    """One verdict per pair, in their order, on all cores."""
    comparison = _Comparison(looks, found)
    # One thread each for small products of matrices: threads of threads wait for each other.
    with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(found.pairs), PAIRS_AT_A_TIME):
            some = range(start, min(start + PAIRS_AT_A_TIME, len(found.pairs)))
            yield from pool.map(comparison.verdict, some)
            advance(len(some))


class _Comparison:
    """Pairs, with the pictures that were looked at last held ready."""

    def __init__(self, looks: Looks, found: Candidates) -> None:
        self._looks, self._found = looks, found
        self._canvas = lru_cache(CANVASES)(lambda place: canvas(looks.shown(place)))
        self._thumbnail = lru_cache(THUMBNAILS)(lambda place: thumbnail(looks.shown(place)))

    def verdict(self, number: int) -> Verdict:
        """Of one pair."""
        first, second = map(int, self._found.pairs[number])
        starts = self._starts(number)
        start = next(starts, None)
        if start is None:  # as for most pairs
            return NOTHING
        canvases = self._canvas(first), self._canvas(second)
        cosine = max(self._found.by_picture[number], self._found.by_mirror_image[number])
        least = HOPELESS_IF_LIKELY if cosine >= LIKELY else HOPELESS
        said = verdict(*canvases, chain([start], starts), least)
        if not said.agreement.copies:
            return said
        colours = self._looks.colours(first), self._looks.colours(second)
        alike = likeness(*colours, said.matrix)
        return said._replace(agreement=said.agreement._replace(colours=alike))

    def _starts(self, number: int) -> Iterator[np.ndarray]:
        """Maps to begin an alignment with, the most promising first; none for a hopeless pair."""
        first, second = map(int, self._found.pairs[number])
        upright, mirrored = self._found.by_picture[number], self._found.by_mirror_image[number]
        alike = max(upright, mirrored) >= ALIKE
        if alike:
            yield np.eye(3) if upright >= mirrored else MIRROR
        seen = look(self._thumbnail(first), self._thumbnail(second))
        promise = seen.correlation + self._found.by_maps[number]
        if not alike and promise < PROMISING:
            return
        yield seen.matrix
        if not alike:
            yield MIRROR if np.linalg.det(seen.matrix) < 0 else np.eye(3)
        if promise > VERY_PROMISING:
            yield from (turned(seen.matrix, degrees) for degrees in TURNS)
