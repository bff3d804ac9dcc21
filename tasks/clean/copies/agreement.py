"""How far two pictures that lie over each other agree in their details.

Different pictures of one kind may agree in their large forms: motorbikes on white, faces. Copies
agree in the small ones, nearly everywhere, whatever light, colour or sharpness an edit gave them.
What is filled with one colour up to the edge, and its outline, is not looked at: two objects on
white, or two pictures turned by an editor, have that in common.
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np

from tasks.clean.copies.geometry import askew, laid, pixels_of_unit, shares
from tasks.pictures.opencv import cv2


class Band(NamedTuple):
    """Details between two blurs (pixels), judged in square blocks of which so many must have some.

    `share` is how much of all details has to agree.
    """

    low: float
    high: float
    block: int
    least_blocks: int
    share: float


# Of pictures with 128 pixels on a side. Copies agree in half of the fine details, or in four fifths
# of the coarse ones, which are all that blurring leaves.
COARSE = Band(1.2, 6.0, 16, 8, 0.8)
FINE = Band(0.8, 3.0, 8, 24, 0.5)
BOUND = 0.95
# And in this share of all places, however weak their details are, and in light and shade: two
# pictures with the same words over them agree in strong details.
LEAST_PLACES, AGREED = 0.6, 0.6
LEAST_LIGHT = 0.4
# A few strokes can be made to lie on any others by turning and tilting; very few by moving alone,
# unless they are all but equal.
MOST_PLACES, MANY_PLACES, SOME_PLACES, FEW_PLACES, FEWEST_PLACES = 200, 90, 48, 32, 24
# Straight, turned or tilted by a few degrees, and by many (see geometry.askew).
STRAIGHT, HARDLY_ASKEW, FAR_ASKEW = 0.04, 0.2, 0.45
ALL_BUT_EQUAL, NEARLY_WHOLE, SAME_LIGHT, SIMILAR_LIGHT = 0.99, 0.7, 0.9, 0.8
# Drawings that are hardly more than outlines have to agree so much better, in both bands.
STRICTER = 0.03
# The same of 64 pixels, after a rough alignment: with less agreement it is over. Words laid over
# one of two pictures that are alike at a glance may draw it so far away.
ROUGH = Band(0.6, 3.0, 8, 8, 0.5)
HOPELESS, HOPELESS_IF_LIKELY = 0.65, 0.5
# Weaker details (variance of grey levels) are noise.
FAINT = 1.0
# Blocks count by the details that both pictures have there: words laid over one count for little.
WEIGHT = 0.75
# Less of a picture than this in common is a detail of it, not a copy.
LEAST_SHARE = 0.3
# Blocks that agree less show something else.
DIFFERENT, AS_STRONG = 0.5, 0.3
# Enlarged from so many pixels on a side, a picture loses this share of its contrast at least.
FEW_PIXELS, LEAST_LOST = 16, 0.008
# And this share of its lines, or of its columns, are not like the one before.
LEAST_LINES = 0.3
# What is filled with one colour: grey levels between neighbours, and in all; its least area, and
# how far its outline reaches (pixels).
FLAT, ALIKE, LEAST_FILLED, OUTLINE = 3, 8, 0.01, 3


class Agreement(NamedTuple):
    """How well two pictures agree: the correlation reached, and what they have in common.

    `first` and `second` are the shares of each picture that lie on the other, `changed` the share
    of what both show there that is not the same, `places` the share of the places with details in
    which they agree, `judged` how many there are, `light` the correlation of light and shade,
    `askew` how far from straight they lie over each other (geometry.askew), `colours` how alike
    those are (colours.likeness).
    """

    correlation: float
    first: float
    second: float
    changed: float = 0.0
    places: float = 0.0
    judged: float = 0
    light: float = 0.0
    askew: float = 0.0
    colours: float = 0.0

    @property
    def copies(self) -> bool:
        """Whether one is a copy of the other."""
        return (
            self.correlation >= BOUND
            and self.places >= LEAST_PLACES
            and self.light >= LEAST_LIGHT
            and max(self.first, self.second) >= LEAST_SHARE
            and self._is_no_chance
        )

    @property
    def _is_no_chance(self) -> bool:
        """Whether so few places could not be made to agree by any map."""
        if self.judged >= MANY_PLACES:
            return self.askew <= FAR_ASKEW or self.judged >= MOST_PLACES
        all_but_equal = min(self.correlation, self.places) >= ALL_BUT_EQUAL
        if self.askew <= STRAIGHT:
            some = self.judged >= SOME_PLACES
            enough = FEWEST_PLACES if all_but_equal else FEW_PLACES
            return self.judged >= enough and self.light >= (SIMILAR_LIGHT if some else SAME_LIGHT)
        return (
            self.judged >= SOME_PLACES
            and self.light >= SAME_LIGHT
            and self.askew <= HARDLY_ASKEW
            and all_but_equal
            and min(self.first, self.second) >= NEARLY_WHOLE
        )


class Canvas:
    """A picture to be laid under or over another: (side, side) uint8 grey, and where it counts.

    What is computed of it is kept: it is compared with several others.
    """

    def __init__(self, grey: np.ndarray, counts: np.ndarray) -> None:
        self.grey, self.counts = grey, counts
        self._details: dict[Band, np.ndarray] = {}

    def details(self, band: Band) -> np.ndarray:
        """(side, side) float32: its details in this band."""
        if band not in self._details:
            self._details[band] = _details(self.grey.astype(np.float32), band)
        return self._details[band]

    @cached_property
    def light(self) -> np.ndarray:
        """What is left when details are blurred away, every fourth pixel."""
        return _light(self.grey.astype(np.float32))

    @cached_property
    def is_detailed(self) -> bool:
        """Whether it shows more than a few hundred pixels do, enlarged: else many are alike."""
        few = cv2.resize(self.grey, (FEW_PIXELS, FEW_PIXELS), interpolation=cv2.INTER_AREA)
        again = cv2.resize(few, self.grey.shape, interpolation=cv2.INTER_CUBIC)
        values = self.grey.astype(np.float32)
        if np.var(values - again) <= LEAST_LOST * np.var(values):
            return False
        # Enlarged without smoothing, most lines are like the one before.
        steps = (np.abs(np.diff(values, axis=axis)).mean(axis=1 - axis) for axis in (0, 1))
        return max(float(np.mean(one > one.mean() / 4)) for one in steps) >= LEAST_LINES

    @cached_property
    def halved(self) -> "Canvas":
        """The same with half the pixels on a side."""
        return Canvas(cv2.pyrDown(self.grey), self.counts[::2, ::2])


def canvas(grey: np.ndarray) -> Canvas:
    """Of a square grey picture."""
    return Canvas(grey, (1 - _filled(grey)).astype(np.float32))


def agreement(first: Canvas, second: Canvas, matrix: np.ndarray) -> Agreement:
    """Of two pictures, with the map from the first's unit square to the second's."""
    over, common = _laid(first, second, matrix)
    details = {band: (first.details(band), _details(over, band)) for band in (COARSE, FINE)}
    coarse, fine = (_blocks(*details[band], common, band) for band in (COARSE, FINE))
    reached = max(coarse.reached(COARSE.share), fine.reached(FINE.share))
    if askew(matrix) <= STRAIGHT and len(fine.weights) < MANY_PLACES:
        everywhere = np.ones_like(common)
        outlines = [_blocks(*details[band], everywhere, band) for band in (COARSE, FINE)]
        both = min(outlines[0].reached(COARSE.share), outlines[1].reached(FINE.share))
        if both - STRICTER > reached and len(outlines[1].weights) >= MANY_PLACES:
            reached, (coarse, fine) = both - STRICTER, outlines
    return Agreement(
        reached,
        *shares(matrix),
        coarse.changed(),
        fine.places(),
        len(fine.weights),
        _correlation(first.light, _light(over), common[::4, ::4] > 0),
        askew(matrix),
    )


def hopeless(first: Canvas, second: Canvas, matrix: np.ndarray, least: float = HOPELESS) -> bool:
    """Whether a rough alignment shows that a better one is not worth looking for; both halved."""
    over, common = _laid(first, second, matrix)
    details = first.details(ROUGH), _details(over, ROUGH)
    return all(
        _blocks(*details, counts, ROUGH).reached(ROUGH.share) < least
        for counts in (common, np.ones_like(common))
    )


def agreed(first: Canvas, second: Canvas, matrix: np.ndarray) -> np.ndarray:
    """(side, side) uint8: 1 where the second shows what the first does, in coarse details."""
    over, common = _laid(first, second, matrix)
    one, other = first.details(COARSE) * common, _details(over, COARSE) * common
    sums = [_in_blocks(each, COARSE.block) for each in (one * other, one * one, other * other)]
    alike = sums[0] > AGREED * np.sqrt(sums[1] * sums[2])
    count, size = len(over) // COARSE.block, over.shape
    here = cv2.resize(
        alike.reshape(count, count).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST
    )
    there: np.ndarray = cv2.warpPerspective(
        here, pixels_of_unit(matrix, len(over)), size, flags=cv2.INTER_NEAREST
    )
    return there


def _laid(first: Canvas, second: Canvas, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The second where it lies on the first, and where both count; (side, side) float32."""
    found, counts = laid(second.grey, second.counts, matrix)
    return found, first.counts * counts


def _blocks(first: np.ndarray, second: np.ndarray, common: np.ndarray, band: Band) -> "_Blocks":
    """Of two pictures' details."""
    one, other = first * common, second * common
    area = _in_blocks(common, band.block)
    strengths = _in_blocks(one * one, band.block), _in_blocks(other * other, band.block)
    weaker = np.minimum(*strengths)
    judged = (area > band.block**2 / 4) & (weaker > FAINT * area)
    if np.count_nonzero(judged) < band.least_blocks:
        return _Blocks(np.zeros(1), np.ones(1), np.zeros(1))
    values = _in_blocks(one * other, band.block)[judged]
    values /= np.sqrt(strengths[0][judged] * strengths[1][judged])
    weights = weaker[judged] ** WEIGHT
    return _Blocks(values, weights / weights.sum(), weaker[judged] / np.maximum(*strengths)[judged])


def _light(picture: np.ndarray) -> np.ndarray:
    found: np.ndarray = cv2.GaussianBlur(picture, (0, 0), COARSE.high)[::4, ::4]
    return found


def _correlation(first: np.ndarray, second: np.ndarray, where: np.ndarray) -> float:
    one, other = first[where], second[where]
    if len(one) < 2:
        return 0.0
    one, other = one - one.mean(), other - other.mean()
    return float(one @ other / np.sqrt((one @ one) * (other @ other) + 1))


class _Blocks(NamedTuple):
    """How well blocks agree, each with its share of all details; and how alike in strength.

    `ratios` are of the weaker details to the stronger: words over a picture are all details.
    """

    correlations: np.ndarray
    weights: np.ndarray
    ratios: np.ndarray

    def reached(self, share: float) -> float:
        """What the blocks that hold this share, the best ones, reach at the least."""
        order = np.argsort(self.correlations)
        below = np.cumsum(self.weights[order])
        return float(self.correlations[order][np.searchsorted(below, 1 - share - 1e-9)])

    def places(self) -> float:
        """The share of the blocks that agree, each counting as much as the others."""
        return float(np.mean(self.correlations > AGREED))

    def changed(self) -> float:
        """The share of the blocks that show something else, about as strong, in the other."""
        other = (self.correlations < DIFFERENT) & (self.ratios > AS_STRONG)
        return float(self.weights[other].sum())


def _details(picture: np.ndarray, band: Band) -> np.ndarray:
    blurred = [cv2.GaussianBlur(picture, (0, 0), width) for width in (band.low, band.high)]
    details: np.ndarray = blurred[0] - blurred[1]
    return details


def _in_blocks(values: np.ndarray, block: int) -> np.ndarray:
    count = len(values) // block
    return values.reshape(count, block, count, block).sum(axis=(1, 3)).ravel()


def _filled(grey: np.ndarray) -> np.ndarray:
    """(side, side) uint8: 1 where one colour fills the picture up to its edge, outline included."""
    near = np.ones((3, 3), np.uint8)
    flat = (cv2.dilate(grey, near) - cv2.erode(grey, near) <= FLAT).astype(np.uint8)
    _, parts, about, _ = cv2.connectedComponentsWithStats(flat, connectivity=4)
    found = np.zeros_like(grey)
    for part in np.unique(np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])):
        if part and about[part, cv2.CC_STAT_AREA] >= LEAST_FILLED * grey.size:
            low, high = np.percentile(grey[parts == part], (5, 95))
            found[parts == part] = high - low <= ALIKE
    reach = 2 * OUTLINE + 1
    grown: np.ndarray = cv2.dilate(found, np.ones((reach, reach), np.uint8))
    return grown
