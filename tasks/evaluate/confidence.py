"""How sure is sure enough: sets of classes that hold the true one, and a threshold for each class.

Sets, by split conformal prediction: every class whose probability reaches a threshold is in a
picture's set. The threshold is the one that would have left out the true class of one validation
picture in ten (Sadinle, Lei and Wasserman, Least Ambiguous Set-Valued Classifiers, 2019). Where a
model is right more often than that, sets of the pictures that it is least sure of are empty.

Thresholds, for those who act on one class: from which probability on its answer is as often right
as is wanted. Both are set by validation pictures, and judged by others.
"""

from typing import NamedTuple

import numpy as np

from tasks.evaluate.curves import Predicted
from tasks.evaluate.metrics import wilson
from tasks.train.choosing.doubt import FEWEST, HELD, reached_by

# How often an answer above its threshold is to be right; of fewer pictures none is set.
PRECISE, LEAST_JUDGED = 0.95, 20


class PredictionSets(NamedTuple):
    """Sets at a threshold from `judged_by` pictures: how often they hold the true class of others.

    `coverage` has an interval from `low` to `high`; `size` is the mean number of classes, `empty`
    the share of sets without any.
    """

    wanted: float
    threshold: float
    judged_by: int
    coverage: float
    low: float
    high: float
    size: float
    empty: float


def prediction_sets(
    validation: Predicted, shown: Predicted, wanted: float = HELD
) -> PredictionSets | None:
    """With a threshold from `validation`, judged on `shown`; None of fewer than FEWEST pictures."""
    if len(validation.labels) < FEWEST:
        return None
    threshold = reached_by(_of_truth(validation), wanted)
    held = _of_truth(shown) >= threshold
    sizes = (shown.probabilities >= threshold).sum(axis=1)
    low, high = wilson(int(held.sum()), len(held))
    return PredictionSets(
        wanted=wanted,
        threshold=threshold,
        judged_by=len(validation.labels),
        coverage=float(held.mean()),
        low=low,
        high=high,
        size=float(sizes.mean()),
        empty=float((sizes == 0).mean()),
    )


def _of_truth(predicted: Predicted) -> np.ndarray:
    found: np.ndarray = predicted.probabilities[np.arange(len(predicted.labels)), predicted.labels]
    return found


class Threshold(NamedTuple):
    """From which probability on the answer `name` is right as often as was wanted; 0: any will do.

    By `judged_by` validation pictures; on others `precision`, with its interval, is how often it is
    right, None where it is never given so surely, and `caught` the share of the class's pictures
    that get it.
    """

    name: str
    wanted: float
    probability: float
    judged_by: int
    precision: float | None
    low: float
    high: float
    caught: float


def thresholds(validation: Predicted, shown: Predicted, wanted: float = PRECISE) -> list[Threshold]:
    """One for each class with pictures that reaches it on LEAST_JUDGED validation pictures."""
    found = []
    # Once for all classes: of many pictures and classes these are the work.
    asked, answers = (one.probabilities.argmax(axis=1) for one in (validation, shown))
    sure, surely, right_then = validation.confidence, shown.confidence, validation.correct
    for number, name in enumerate(validation.classes):
        given_then = asked == number
        probability, judged_by = _reached(sure[given_then], right_then[given_then], wanted)
        of_class = shown.labels == number
        if judged_by < LEAST_JUDGED or not of_class.any():
            continue
        said = (answers == number) & (surely >= probability)
        right, given = int((said & of_class).sum()), int(said.sum())
        low, high = wilson(right, given) if given else (0.0, 1.0)
        precision = right / given if given else None
        caught = right / int(of_class.sum())
        found.append(Threshold(name, wanted, probability, judged_by, precision, low, high, caught))
    return found


def _reached(values: np.ndarray, right: np.ndarray, wanted: float) -> tuple[float, int]:
    """The lowest probability from which one answer is precise enough, and how many have it.

    `values` are the probabilities of that answer where it was given, `right` whether it was.
    """
    order = np.argsort(-values, kind="stable")
    values, right = values[order], right[order]
    precise = np.cumsum(right) >= wanted * np.arange(1, len(right) + 1)
    # Pictures as sure as each other are in together or not at all.
    ends = np.append(values[1:] < values[:-1], True)[: len(values)]
    places = np.flatnonzero(precise & ends)
    if not len(places):
        return 1.0, 0
    last = int(places[-1])
    # Where every answer will do, the least sure one that happened to come is no bound.
    return 0.0 if last == len(values) - 1 else float(values[last]), last + 1
