"""Metrics of predictions, by scikit-learn and SciPy; intervals at 95 %.

METRICS is the one table of them: what stands there is computed, kept in metrics.json, shown on the
page, the index, the card and in Prefect, and may be asked for by the gate (`publish.gate.bounds`).
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np

CONFIDENCE = 0.95


class Judged(NamedTuple):
    """One model on one split: true and chosen class numbers (n,), probabilities (n, classes)."""

    labels: np.ndarray
    chosen: np.ndarray
    probabilities: np.ndarray


class Metric(NamedTuple):
    """One number of a split; None where it cannot be said.

    A share of the pictures has a Wilson interval and its spread over the repeats. What is said for
    people (`title`, `shown_as`) reruns nothing.
    """

    of: Callable[[Judged], float | None]
    title: str
    shown_as: Literal["percent", "decimals"] = "decimals"
    higher_is_better: bool = True
    is_share: bool = False


def accuracy(judged: Judged) -> float:
    """The share of pictures whose most probable class is theirs."""
    return float((judged.chosen == judged.labels).mean())


def log_loss(judged: Judged) -> float:
    """Mean of minus the natural logarithm of the true class's probability."""
    from sklearn import metrics

    numbers = np.arange(judged.probabilities.shape[1])
    return float(metrics.log_loss(judged.labels, judged.probabilities, labels=numbers))


def roc_auc(judged: Judged) -> float | None:
    """Area under the ROC curve; one-vs-rest macro average beyond two classes."""
    from sklearn import metrics

    labels, probabilities = judged.labels, judged.probabilities
    if len(np.unique(labels)) < probabilities.shape[1]:
        return None
    if probabilities.shape[1] == 2:
        return float(metrics.roc_auc_score(labels, probabilities[:, 1]))
    return float(metrics.roc_auc_score(labels, probabilities, multi_class="ovr"))


METRICS = {
    "accuracy": Metric(accuracy, title="Accuracy", shown_as="percent", is_share=True),
    "log_loss": Metric(log_loss, title="Log loss", higher_is_better=False),
    "roc_auc": Metric(roc_auc, title="ROC AUC"),
}
# Accuracy stands first everywhere, with its interval.
OTHERS = {name: metric for name, metric in METRICS.items() if name != "accuracy"}


def wilson(successes: float, count: int) -> tuple[float, float]:
    """Wilson score interval of a proportion (Wilson 1927); `successes` may be a mean of counts."""
    from scipy.stats import norm

    z = norm.ppf(0.5 + CONFIDENCE / 2)
    share = successes / count
    centre = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z * ((share * (1 - share) + z**2 / (4 * count)) / count) ** 0.5 / (1 + z**2 / count)
    # At the ends the interval reaches them: the sum above ends a last bit short of it.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == count else min(1.0, centre + half)
    return float(low), float(high)


def of_predictions(
    labels: np.ndarray, probabilities: np.ndarray, classes: list[str]
) -> dict[str, Any]:
    """Everything about one split and one model.

    `labels` is (n,) class numbers, `probabilities` (n, classes). Returns the METRICS by name,
    per_class (precision, recall, f1, support) and confusion (rows are true classes).
    """
    from sklearn import metrics

    numbers = np.arange(len(classes))
    normal = probabilities / probabilities.sum(axis=1, keepdims=True)
    judged = Judged(labels, probabilities.argmax(axis=1), normal)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        labels, judged.chosen, labels=numbers, zero_division=0
    )
    return {name: metric.of(judged) for name, metric in METRICS.items()} | {
        "per_class": {
            name: {
                "precision": float(precision[k]),
                "recall": float(recall[k]),
                "f1": float(f1[k]),
                "support": int(support[k]),
            }
            for k, name in enumerate(classes)
        },
        "confusion": metrics.confusion_matrix(labels, judged.chosen, labels=numbers).tolist(),
    }


def summary(repeats: list[dict[str, Any]], published: int, count: int) -> dict[str, Any]:
    """One split over all repeats: each metric's mean, and the details of the published repeat.

    A share (accuracy) also holds low and high (Wilson at the mean, over the split's `count`
    pictures), the standard deviation over repeats and each repeat's value.
    """
    found = {
        name: _summed(metric, [one[name] for one in repeats], published, count)
        for name, metric in METRICS.items()
    }
    details = {name: repeats[published][name] for name in ("per_class", "confusion")}
    return {"images": count} | found | details


def _summed(
    metric: Metric, values: list[float | None], published: int, count: int
) -> dict[str, Any]:
    known = [value for value in values if value is not None]
    mean = float(np.mean(known)) if known else None
    summed: dict[str, Any] = {"mean": mean, "published": values[published]}
    if metric.is_share and mean is not None:
        low, high = wilson(mean * count, count)
        spread = float(np.std(known, ddof=1)) if len(known) > 1 else 0.0
        summed |= {"low": low, "high": high, "deviation": spread, "repeats": values}
    return summed
