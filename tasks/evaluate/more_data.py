"""Would more pictures help? Linear heads on parts of the training pictures tell.

Each is judged by the pictures of the split that the report shows, which choose nothing: how strong
the regularisation is, validation says. Error falls with the number of pictures about as a power law
(Hestness et al., Deep Learning Scaling Is Predictable, Empirically, 2017); what twice as many would
give is read off that law, with an interval by bootstrap of pictures and draws.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from storage.features import PIXELS, FeatureSpace, FeatureTable
from storage.references import SPLITS, FeaturesRef
from storage.workspace import Workspace
from tasks.evaluate.label_errors import Pooled
from tasks.evaluate.metrics import wilson
from tasks.train.choosing.linear import Discriminants, Learned, Scale
from tasks.train.choosing.logits import losses, softmax

SHARES = (0.1, 0.2, 0.4, 0.7, 1.0)
# The law is fitted from here on: with fewer pictures much else goes on.
FITTED_FROM = 0.2
HALF = 0.4
DRAWS = 3
STRENGTHS = (3.0, 1.0, 0.3)
FEWEST_TRAIN, FEWEST_SHOWN = 50, 30
MOST_TRAIN, MOST_SHOWN, MOST_VALIDATION = 20_000, 10_000, 5000
RESAMPLES = 1000
WEAKEST = 8
TRAIN, VALIDATION = SPLITS[:2]


class Point(NamedTuple):
    """Heads on a share of the training pictures: accuracy, mean of draws, with a 95 % interval."""

    share: float
    pictures: int
    accuracy: float
    low: float
    high: float


class OfClass(NamedTuple):
    """How many of a class's shown pictures are recognised, with some training pictures and all."""

    name: str
    pictures: int
    with_some: float
    with_all: float


class Expected(NamedTuple):
    """Accuracy to expect, and how much more that is, each with a 95 % interval.

    The gain's interval is the narrower one: both figures are of the same pictures.
    """

    accuracy: float
    low: float
    high: float
    gain: float
    gain_low: float
    gain_high: float


class MoreData(NamedTuple):
    """The learning curve, and what to expect from twice as many pictures; `note` says of what.

    `classes` are the weakest ones.
    """

    points: Sequence[Point]
    expected: Expected
    classes: Sequence[OfClass]
    note: str


def among(
    workspace: Workspace, placed: pd.DataFrame, features: FeaturesRef, classes: list[str]
) -> MoreData | None:
    """The learning curve of these features; None for pixels, and of too few pictures.

    `placed` has image, split, label and group of every picture in a split.
    """
    if FeatureSpace.load(workspace, features).backbone == PIXELS:
        return None
    known = FeatureTable.of(workspace, features, placed["image"].tolist())
    return curve(placed, Pooled(known.rows, features.shape), classes)


def curve(placed: pd.DataFrame, features: Pooled, classes: list[str]) -> MoreData | None:
    """The same of features that give (n, channels) for n positions in `placed`."""
    draw = np.random.default_rng(0)
    labels = placed["label"].map({name: number for number, name in enumerate(classes)}).to_numpy()
    split = placed["split"].to_numpy()
    shown_in = [name for name in SPLITS if (split == name).any()][-1]
    train = _some(np.flatnonzero(split == TRAIN), MOST_TRAIN, draw)
    shown = _some(np.flatnonzero(split == shown_in), MOST_SHOWN, draw)
    if shown_in == TRAIN or len(train) < FEWEST_TRAIN or len(shown) < FEWEST_SHOWN:
        return None
    judged = _some(np.flatnonzero(split == VALIDATION), MOST_VALIDATION, draw)
    if shown_in == VALIDATION:
        judged = shown[:0]  # those that are shown choose nothing
    rank = _ranks(labels[train], placed["group"].to_numpy()[train], draw)
    learned = features[train]
    seen = features[shown]
    unseen = features[judged]
    right: list[np.ndarray] = []
    counts = []
    for share in SHARES:
        chosen = rank < share if share < 1 else rank < np.inf
        draws = range(DRAWS if share < 1 else 1)
        counts.append(round(chosen.sum() / DRAWS))
        right.append(
            np.stack(
                [
                    _said(learned[chosen[n]], labels[train][chosen[n]], len(classes),
                          unseen, labels[judged], seen) == labels[shown]
                    for n in draws
                ]
            )
        )  # fmt: skip
    return _summary(right, counts, labels, train, shown, classes, shown_in)


def _some(rows: np.ndarray, most: int, draw: np.random.Generator) -> np.ndarray:
    return rows if len(rows) <= most else np.sort(draw.choice(rows, most, replace=False))


def _ranks(labels: np.ndarray, groups: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """(DRAWS, n) in [0, 1): below a share are as many of each class, of each at least one picture.

    Pictures that belong together have neighbouring ranks; smaller shares are parts of larger ones.
    """
    found = np.empty((DRAWS, len(labels)))
    codes = pd.factorize(groups)[0]
    for number in range(DRAWS):
        place = draw.permutation(codes.max() + 1)[codes]
        order = np.lexsort((place, labels))
        of_class = labels[order]
        first = np.searchsorted(of_class, of_class)
        total = np.bincount(labels)[of_class]
        found[number, order] = (np.arange(len(order)) - first) / total
    return found


def _said(
    values: np.ndarray,
    labels: np.ndarray,
    classes: int,
    judged: np.ndarray,
    judged_labels: np.ndarray,
    seen: np.ndarray,
) -> np.ndarray:
    """(n,) classes that a head says of `seen`, of those that the judged pictures like best."""
    scale = Scale.of(values)
    methods = Discriminants(Learned.of(scale.applied(values), labels, classes, balanced=False))
    if not len(judged):
        best = methods.at(STRENGTHS[1])
    else:
        scaled = scale.applied(judged)
        heads = [methods.at(strength) for strength in STRENGTHS]
        best = min(heads, key=lambda one: losses(softmax(one.logits(scaled)), judged_labels).mean())
    found: np.ndarray = best.logits(scale.applied(seen)).argmax(axis=1)
    return found


def _summary(
    right: list[np.ndarray],
    counts: list[int],
    labels: np.ndarray,
    train: np.ndarray,
    shown: np.ndarray,
    classes: list[str],
    shown_in: str,
) -> MoreData:
    points = []
    for share, number, one in zip(SHARES, counts, right, strict=True):
        accuracy = float(one.mean())
        low, high = wilson(accuracy * len(shown), len(shown))
        pictures = len(train) if share == 1 else number
        points.append(Point(share, pictures, accuracy, low, high))
    expected = doubled(
        [point.pictures for point in points if point.share >= FITTED_FROM],
        [one for point, one in zip(points, right, strict=True) if point.share >= FITTED_FROM],
    )
    note = (
        f"A linear head on averages of the same features, not the model of this page, trained on "
        f"parts of the {len(train):,} training pictures ({DRAWS} draws each) and judged by "
        f"{len(shown):,} {shown_in} pictures."
    )
    of_classes = _of_classes(right[SHARES.index(HALF)], right[-1][0], labels, train, shown, classes)
    return MoreData(points, expected, of_classes, note)


def doubled(pictures: Sequence[int], right: Sequence[np.ndarray]) -> Expected:
    """What to expect of twice the last number of pictures.

    `right` (draws, n) says for each number of training pictures what was right. The law's slope
    never promises a loss.
    """
    draw = np.random.default_rng(0)
    total = right[0].shape[1]
    weights = draw.multinomial(total, np.full(total, 1 / total), size=RESAMPLES).astype(np.float32)
    weights[0] = 1  # the pictures as they are
    errors = []
    for one in right:
        of_draws = 1 - one.astype(np.float32)
        picked = draw.integers(0, len(of_draws), (RESAMPLES, len(of_draws)))
        each = weights @ of_draws.T  # (RESAMPLES, draws) wrong pictures
        picked[0] = np.arange(len(of_draws))
        # None wrong is not the end: that counts as half a picture.
        wrong = np.take_along_axis(each, picked, axis=1).mean(axis=1)
        errors.append(np.maximum(wrong, 0.5) / total)
    logs = np.log(np.stack(errors))
    x = np.log(np.asarray(pictures, float))
    x -= x.mean()
    slope = np.minimum((x[:, None] * logs).sum(axis=0) / (x**2).sum(), 0)
    gain = errors[-1] * (1 - 2**slope)
    found = [1 - errors[-1] + gain, gain]
    return Expected(
        *(float(value) for one in found for value in (one[0], *np.percentile(one, [2.5, 97.5])))
    )


def _of_classes(
    some: np.ndarray,
    everything: np.ndarray,
    labels: np.ndarray,
    train: np.ndarray,
    shown: np.ndarray,
    classes: list[str],
) -> list[OfClass]:
    """The classes that are recognised least with all pictures, the least first."""
    found = []
    counts = np.bincount(labels[train], minlength=len(classes))
    for number, name in enumerate(classes):
        mine = labels[shown] == number
        if mine.any():
            shares = float(some[:, mine].mean()), float(everything[mine].mean())
            found.append(OfClass(name, int(counts[number]), *shares))
    weak = [one for one in sorted(found, key=lambda one: one.with_all) if one.with_all < 1]
    return weak[:WEAKEST]
