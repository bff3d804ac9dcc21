"""Metrics of predictions, by scikit-learn and SciPy; intervals at 95 %.

METRICS is the one table of them: what stands there is computed, kept in metrics.json, shown on the
page, the index, the card and in Prefect, and may be asked for by the gate (`publish.gate.bounds`).
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

CONFIDENCE = 0.95
SEED, RESAMPLES, RESAMPLES_AT_A_TIME = 0, 1000, 100
# Of more, a page leads with the weakest, and five answers are asked as well.
MANY_CLASSES = 30


class Judged(NamedTuple):
    """One model on one split: true and chosen class numbers (n,), probabilities (n, classes)."""

    labels: np.ndarray
    chosen: np.ndarray
    probabilities: np.ndarray


class Metric(NamedTuple):
    """One number of a split; None where it cannot be said.

    A share of the pictures has a Wilson interval and its spread over the repeats; what `counts` can
    tell, from pictures, answers and right answers by class (…, classes), a bootstrap interval. What
    is said for people (`title`, `shown_as`) reruns nothing. Of fewer than `least_classes` it says
    nothing, and is left out.
    """

    of: Callable[[Judged], float | None]
    title: str
    shown_as: Literal["percent", "decimals"] = "decimals"
    higher_is_better: bool = True
    is_share: bool = False
    counts: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray] | None = None
    least_classes: int = 2


def accuracy(judged: Judged) -> float:
    """The share of pictures whose most probable class is theirs."""
    return float((judged.chosen == judged.labels).mean())


def top_5_accuracy(judged: Judged) -> float:
    """The share of pictures whose class is among the five most probable ones."""
    five = np.argpartition(judged.probabilities, -5, axis=1)[:, -5:]
    return float((five == judged.labels[:, None]).any(axis=1).mean())


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


def balanced_accuracy(judged: Judged) -> float:
    """The mean of the classes' recalls: every class counts alike, however many pictures it has."""
    return float(_mean_recall(*_counts(judged)))


def macro_f1(judged: Judged) -> float:
    """The mean of the classes' F1; classes without pictures are left out."""
    return float(_mean_f1(*_counts(judged)))


def _counts(judged: Judged) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(classes,) pictures, answers, and right answers."""
    classes = judged.probabilities.shape[1]
    right = judged.labels[judged.chosen == judged.labels]
    every = (judged.labels, judged.chosen, right)
    pictures, answers, hits = (np.bincount(one, minlength=classes) for one in every)
    return pictures, answers, hits


def _mean_recall(pictures: np.ndarray, _answers: np.ndarray, hits: np.ndarray) -> np.ndarray:
    return _over_classes(hits / np.maximum(pictures, 1), pictures)


def _mean_f1(pictures: np.ndarray, answers: np.ndarray, hits: np.ndarray) -> np.ndarray:
    return _over_classes(2 * hits / np.maximum(pictures + answers, 1), pictures)


def _over_classes(values: np.ndarray, pictures: np.ndarray) -> np.ndarray:
    there = pictures > 0
    found: np.ndarray = (values * there).sum(axis=-1) / there.sum(axis=-1)
    return found


METRICS = {
    "accuracy": Metric(accuracy, title="Accuracy", shown_as="percent", is_share=True),
    "balanced_accuracy": Metric(
        balanced_accuracy, title="Balanced accuracy", shown_as="percent", counts=_mean_recall
    ),
    "macro_f1": Metric(macro_f1, title="Macro F1", shown_as="percent", counts=_mean_f1),
    "top_5_accuracy": Metric(
        top_5_accuracy,
        title="Top-5 accuracy",
        shown_as="percent",
        is_share=True,
        least_classes=MANY_CLASSES + 1,
    ),
    "log_loss": Metric(log_loss, title="Log loss", higher_is_better=False),
    "roc_auc": Metric(roc_auc, title="ROC AUC"),
}


def of_classes(number: int) -> dict[str, Metric]:
    """The metrics that say something of so many classes."""
    return {name: metric for name, metric in METRICS.items() if metric.least_classes <= number}


def others(classes: int, headline: str = "accuracy") -> dict[str, Metric]:
    """All metrics of so many classes but the one that stands first, with its interval."""
    return {name: metric for name, metric in of_classes(classes).items() if name != headline}


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


def bootstrap(
    confusion: np.ndarray, value: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
) -> tuple[float, float]:
    """Percentile interval of what a (classes, classes) confusion matrix tells (Efron 1979).

    Drawing n pictures again is drawing n cells of the matrix.
    """
    truth, answer = np.nonzero(confusion)
    cells, total = confusion[truth, answer], int(confusion.sum())
    classes = np.arange(len(confusion))
    by_class = [
        (places[:, None] == classes).astype(float)
        for places in (truth, answer, np.where(truth == answer, truth, -1))
    ]
    random, found = np.random.default_rng(SEED), []
    for _ in range(RESAMPLES // RESAMPLES_AT_A_TIME):
        drawn = random.multinomial(total, cells / total, size=RESAMPLES_AT_A_TIME).astype(float)
        found.append(value(*(drawn @ one for one in by_class)))
    tails = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(np.concatenate(found), [tails, 100 - tails])
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
    return {name: metric.of(judged) for name, metric in of_classes(len(classes)).items()} | {
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


def largest_class(confusion: Sequence[Sequence[int]]) -> tuple[int, int, float]:
    """Of a confusion matrix the class with most pictures: its number, all pictures, its share.

    The share is the accuracy of whoever always gives this class.
    """
    pictures = [sum(row) for row in confusion]
    number = max(range(len(pictures)), key=pictures.__getitem__)
    return number, sum(pictures), pictures[number] / max(1, sum(pictures))


def of_one_answer(confusion: Sequence[Sequence[int]], headline: str) -> float:
    """The most of this metric that always giving one class would reach; 0 without pictures."""
    counts = METRICS[headline].counts
    if counts is None:
        return largest_class(confusion)[2]
    pictures = np.array(confusion).sum(axis=1)
    if not pictures.any():
        return 0.0
    always = np.eye(len(pictures))
    return float(counts(pictures[None], pictures.sum() * always, pictures * always).max())


def summary(repeats: list[dict[str, Any]], published: int, count: int) -> dict[str, Any]:
    """One split over all repeats: each metric's mean, and the details of the published repeat.

    What has an interval (a share, and what counts tell) also holds it, low to high, the standard
    deviation over repeats and each repeat's value. The interval is of the mean over the split's
    `count` pictures (a share's by Wilson, the others' by bootstrap of the published repeat), wider
    by the spread of the repeats: another seed is as much a chance as another picture.
    """
    found = {
        name: _summed(metric, repeats, name, published, count)
        for name, metric in METRICS.items()
        if name in repeats[published]
    }
    details = {name: repeats[published][name] for name in ("per_class", "confusion")}
    return {"images": count} | found | details


def _summed(
    metric: Metric, repeats: list[dict[str, Any]], name: str, published: int, count: int
) -> dict[str, Any]:
    values = [one[name] for one in repeats]
    known = [value for value in values if value is not None]
    mean = float(np.mean(known)) if known else None
    summed: dict[str, Any] = {"mean": mean, "published": values[published]}
    if mean is None or not (metric.is_share or metric.counts):
        return summed
    spread = float(np.std(known, ddof=1)) if len(known) > 1 else 0.0
    if metric.counts is None:
        ends = wilson(mean * count, count)
    else:
        low, high = bootstrap(np.array(repeats[published]["confusion"]), metric.counts)
        ends = low - values[published] + mean, high - values[published] + mean
    low, high = _widened(mean, ends, spread)
    return summed | {"low": low, "high": high, "deviation": spread, "repeats": values}


def _widened(mean: float, ends: tuple[float, float], spread: float) -> tuple[float, float]:
    """An interval about a mean and the spread of repeats, independent of each other, together."""
    from scipy.stats import norm

    if not spread:
        return ends
    reach = norm.ppf(0.5 + CONFIDENCE / 2) * spread
    low, high = (float(np.hypot(mean - end, reach)) for end in ends)
    return max(0.0, mean - low), min(1.0, mean + high)
