"""Metrics of predictions, by scikit-learn and SciPy; intervals at 95 %."""

from typing import Any

import numpy as np

CONFIDENCE = 0.95


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

    `labels` is (n,) class numbers, `probabilities` (n, classes). Returns accuracy, log_loss,
    roc_auc (one-vs-rest macro average; None if a class is absent), per_class (precision, recall,
    f1, support) and confusion (rows are true classes).
    """
    from sklearn import metrics

    numbers = np.arange(len(classes))
    predicted = probabilities.argmax(axis=1)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        labels, predicted, labels=numbers, zero_division=0
    )
    normal = probabilities / probabilities.sum(axis=1, keepdims=True)
    return {
        "accuracy": float((predicted == labels).mean()),
        "log_loss": float(metrics.log_loss(labels, normal, labels=numbers)),
        "roc_auc": roc_auc(labels, normal),
        "per_class": {
            name: {
                "precision": float(precision[k]),
                "recall": float(recall[k]),
                "f1": float(f1[k]),
                "support": int(support[k]),
            }
            for k, name in enumerate(classes)
        },
        "confusion": metrics.confusion_matrix(labels, predicted, labels=numbers).tolist(),
    }


def roc_auc(labels: np.ndarray, probabilities: np.ndarray) -> float | None:
    """Area under the ROC curve; one-vs-rest macro average beyond two classes."""
    from sklearn import metrics

    if len(np.unique(labels)) < probabilities.shape[1]:
        return None
    if probabilities.shape[1] == 2:
        return float(metrics.roc_auc_score(labels, probabilities[:, 1]))
    return float(metrics.roc_auc_score(labels, probabilities, multi_class="ovr"))


def summary(repeats: list[dict[str, Any]], published: int, count: int) -> dict[str, Any]:
    """One split over all repeats: means and spreads, and the details of the published repeat.

    accuracy holds mean, low and high (Wilson at the mean, over the split's pictures), the standard
    deviation over repeats and each repeat's value.
    """
    accuracies = [one["accuracy"] for one in repeats]
    mean = float(np.mean(accuracies))
    low, high = wilson(mean * count, count)
    spread = float(np.std(accuracies, ddof=1)) if len(accuracies) > 1 else 0.0
    return {
        "images": count,
        "accuracy": {
            "mean": mean,
            "low": low,
            "high": high,
            "deviation": spread,
            "repeats": accuracies,
            "published": repeats[published]["accuracy"],
        },
        "log_loss": {
            "mean": float(np.mean([one["log_loss"] for one in repeats])),
            "published": repeats[published]["log_loss"],
        },
        "roc_auc": {"mean": _mean_of([one["roc_auc"] for one in repeats])},
        "per_class": repeats[published]["per_class"],
        "confusion": repeats[published]["confusion"],
    }


def _mean_of(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
