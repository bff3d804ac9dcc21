"""Sets of classes that hold the true one as often as was asked for: split conformal prediction.

Every class whose probability reaches a threshold is in a picture's set. The threshold is the one
that would have left out the true class of one validation picture in ten (Sadinle, Lei and
Wasserman, Least Ambiguous Set-Valued Classifiers, 2019). Where a model is right more often than
that, sets of the pictures that it is least sure of are empty.
"""

from typing import NamedTuple

import numpy as np

from tasks.evaluate.curves import Predicted
from tasks.evaluate.metrics import wilson
from tasks.train.choosing.doubt import FEWEST, HELD, reached_by


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
