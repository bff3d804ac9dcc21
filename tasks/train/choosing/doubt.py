"""When an answer is to be doubted: bounds from pictures that a model had not learned from.

A set of classes holds the true one for nine in ten (split conformal prediction; Sadinle, Lei and
Wasserman 2019). A picture for whose classes there is less evidence than for those of nineteen in
twenty is called unknown. Evidence is the negative energy of the logits (Liu et al., Energy-based
Out-of-distribution Detection, NeurIPS 2020): of classes that a model was not trained on it tells
more than the highest probability, which is high where all others are low as well.
"""

import numpy as np

from tasks.train.choosing.logits import softmax

HELD, KNOWN = 0.9, 0.95
# Of fewer pictures the bounds are a guess.
FEWEST = 50


def bounds(logits: np.ndarray, labels: np.ndarray) -> dict[str, float] | None:
    """`probability` that a class of a set has, and `evidence` that there is of a known picture.

    Of unseen pictures: `logits` (n, classes) and `labels` (n,). None of too few.
    """
    if len(labels) < FEWEST:
        return None
    of_truth = softmax(logits)[np.arange(len(labels)), labels]
    return {
        "probability": reached_by(of_truth, HELD),
        "evidence": reached_by(familiarity(logits), KNOWN),
    }


def familiarity(logits: np.ndarray) -> np.ndarray:
    """(n,) the evidence for any class: logarithms of the sum of exponentials, as float64.

    Of (n, classes) logits without their mean: what all classes have in common says nothing.
    """
    centred = logits.astype(np.float64) - logits.mean(axis=1, keepdims=True)
    found: np.ndarray = np.logaddexp.reduce(centred, axis=1)
    return found


def reached_by(values: np.ndarray, share: float) -> float:
    """The bound that (n,) values reach in at least this share of cases, and one more like them.

    The k-th lowest, with k = floor((n + 1) (1 - share)); below all where that is 0.
    """
    rank = int(np.floor((len(values) + 1) * (1 - share)))
    return float(np.sort(values)[max(rank, 1) - 1])
