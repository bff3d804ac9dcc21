"""When an answer is to be doubted: bounds from pictures that a model had not learned from.

A set of classes holds the true one for nine in ten (split conformal prediction; Sadinle, Lei and
Wasserman 2019). A picture whose highest logit is lower than that of nineteen in twenty is called
unknown: of classes that a model was not trained on that tells more than the highest probability,
which is high where all others are low as well (Vaze et al., Open-Set Recognition, ICLR 2022).
"""

import numpy as np

from tasks.train.choosing.logits import softmax

HELD, KNOWN = 0.9, 0.95
# Of fewer pictures the bounds are a guess.
FEWEST = 50


def bounds(logits: np.ndarray, labels: np.ndarray) -> dict[str, float] | None:
    """`probability` that a class of a set has, and `familiarity` that a known picture has.

    Of unseen pictures: `logits` (n, classes) and `labels` (n,). None of too few.
    """
    if len(labels) < FEWEST:
        return None
    of_truth = softmax(logits)[np.arange(len(labels)), labels]
    return {
        "probability": reached_by(of_truth, HELD),
        "familiarity": reached_by(familiarity(logits), KNOWN),
    }


def familiarity(logits: np.ndarray) -> np.ndarray:
    """(n,) the highest logit of each picture; of two classes, how far they are apart."""
    if logits.shape[1] == 2:
        found: np.ndarray = np.abs(logits[:, 1] - logits[:, 0])
        return found
    highest: np.ndarray = logits.max(axis=1)
    return highest


def reached_by(values: np.ndarray, share: float) -> float:
    """The bound that (n,) values reach in at least this share of cases, and one more like them.

    The k-th lowest, with k = floor((n + 1) (1 - share)); below all where that is 0.
    """
    rank = int(np.floor((len(values) + 1) * (1 - share)))
    return float(np.sort(values)[max(rank, 1) - 1])
