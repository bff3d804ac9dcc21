"""Curves and calibration: what the metrics do not hold, by scikit-learn on the predictions."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from tasks.evaluate.predictions_table import PROBABILITY

BINS, LEAST_IN_BIN = 10, 20


@dataclass(frozen=True)
class Predicted:
    """Predictions as arrays: labels (n,) class numbers, probabilities (n, classes) summing to 1."""

    classes: list[str]
    labels: np.ndarray
    probabilities: np.ndarray

    @classmethod
    def of(cls, table: pd.DataFrame, classes: list[str]) -> "Predicted":
        """From rows of the predictions table."""
        numbers = {name: number for number, name in enumerate(classes)}
        values = table[[f"{PROBABILITY}{name}" for name in classes]].to_numpy(np.float64)
        labels = table["label"].map(numbers).to_numpy(np.int64)
        return cls(classes, labels, values / values.sum(axis=1, keepdims=True))

    @property
    def correct(self) -> np.ndarray:
        """(n,) bool."""
        return self.probabilities.argmax(axis=1) == self.labels

    @property
    def confidence(self) -> np.ndarray:
        """(n,) probability of the predicted class."""
        return self.probabilities.max(axis=1)

    def judged(self) -> list[int]:
        """The classes that have a curve: those with pictures for and against."""
        counts = np.bincount(self.labels, minlength=len(self.classes))
        return [number for number, count in enumerate(counts) if 0 < count < len(self.labels)]


class Curve(NamedTuple):
    """One class against the rest; `area` is the ROC AUC or the average precision."""

    name: str
    x: np.ndarray
    y: np.ndarray
    area: float


class Bin(NamedTuple):
    """Pictures with about the same confidence, from low to high; both means of them."""

    low: float
    high: float
    pictures: int
    confidence: float
    accuracy: float


def roc(predicted: Predicted) -> list[Curve]:
    """True-positive rate over false-positive rate, one class against the rest."""
    from sklearn import metrics

    curves = []
    for number in predicted.judged():
        truth, score = predicted.labels == number, predicted.probabilities[:, number]
        x, y, _ = metrics.roc_curve(truth, score)
        curves.append(Curve(predicted.classes[number], x, y, float(metrics.auc(x, y))))
    return curves


def precision_recall(predicted: Predicted) -> list[Curve]:
    """Precision over recall, one class against the rest."""
    from sklearn import metrics

    curves = []
    for number in predicted.judged():
        truth, score = predicted.labels == number, predicted.probabilities[:, number]
        precision, recall, _ = metrics.precision_recall_curve(truth, score)
        area = float(metrics.average_precision_score(truth, score))
        curves.append(Curve(predicted.classes[number], recall, precision, area))
    return curves


def reached(curve: Curve, x: float) -> float:
    """The highest y of a curve at or left of `x`."""
    return float(curve.y[curve.x <= x].max())


def calibration(predicted: Predicted, bins: int = BINS) -> list[Bin]:
    """Confidence of the predicted class against how often it is right, in bins of equal count.

    As many bins as leave LEAST_IN_BIN pictures in each, at least one.
    """
    count = max(1, min(bins, len(predicted.labels) // LEAST_IN_BIN))
    order = np.argsort(predicted.confidence, kind="stable")
    found = []
    for inside in np.array_split(order, count):
        confidence, right = predicted.confidence[inside], predicted.correct[inside]
        ends = float(confidence[0]), float(confidence[-1])
        found.append(Bin(*ends, len(inside), float(confidence.mean()), float(right.mean())))
    return found


def expected_calibration_error(bins: list[Bin]) -> float:
    """Mean distance of accuracy from confidence, weighted by pictures (Guo et al. 2017, eq. 3)."""
    total = sum(one.pictures for one in bins)
    return sum(one.pictures * abs(one.accuracy - one.confidence) for one in bins) / total
