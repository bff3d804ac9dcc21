"""Linear classifiers on standardised features, in two ways: what a chosen head is made of.

A discriminant analysis takes classes for clouds of one shape: a formula, and the better of the two
on few pictures. A softmax is trained to tell them apart, and the better one on many. Both are
regularised, both give weights and offsets of one dense layer, and so does the mean of their logits.
"""

from typing import NamedTuple

import numpy as np

ITERATIONS = 150
# Looser than usual: what counts is how it does on other pictures, and a temperature follows.
TOLERANCE = 1e-4
# What a class is given that no picture to learn from has: its probability is next to nothing.
UNSEEN = -1000.0


class Linear(NamedTuple):
    """Weights (d, classes) and offsets (classes,) float32."""

    weights: np.ndarray
    offsets: np.ndarray

    def logits(self, values: np.ndarray) -> np.ndarray:
        """(n, classes) of (n, d)."""
        found: np.ndarray = values @ self.weights + self.offsets
        return found

    def divided(self, temperature: float) -> "Linear":
        """The one with these logits divided."""
        return Linear(self.weights / temperature, self.offsets / temperature)

    def plus(self, other: "Linear") -> "Linear":
        """The one whose logits are the sum of both's."""
        return Linear(self.weights + other.weights, self.offsets + other.offsets)


class Scale(NamedTuple):
    """Means and deviations (d,) float32 of features."""

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray) -> "Scale":
        """Of (n, d); a feature that is always the same counts for nothing."""
        mean, deviation = values.mean(axis=0), values.std(axis=0)
        low = 1e-6 * max(1.0, float(np.abs(mean).max(initial=0)))
        return cls(mean, np.where(deviation > low, deviation, np.inf).astype(np.float32))

    def applied(self, values: np.ndarray) -> np.ndarray:
        """(n, d) float32 with means of 0 and deviations of 1."""
        return (values - self.mean) / self.deviation

    def folded(self, found: Linear) -> Linear:
        """The classifier that takes features as they are."""
        weights = found.weights / self.deviation[:, None]
        return Linear(weights, found.offsets - self.mean @ weights)


class Learned(NamedTuple):
    """What is learned from: (n, d) standardised, numbers of classes (n,), what each counts for."""

    values: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    classes: int

    @classmethod
    def of(
        cls, values: np.ndarray, labels: np.ndarray, classes: int, *, balanced: bool
    ) -> "Learned":
        """Weights sum to 1; with `balanced` those of every class do to the same."""
        return cls(values, labels, counted(labels, balanced=balanced), classes)


def counted(labels: np.ndarray, *, balanced: bool) -> np.ndarray:
    """(n,) float32 what each picture counts for; they sum to 1."""
    counts = np.bincount(labels)
    each = 1 / counts[labels] if balanced else np.ones(len(labels))
    return (each / each.sum()).astype(np.float32)


class Discriminants:
    """Linear discriminant analyses (Fisher 1936; regularised as by Friedman 1989).

    The covariance within classes, of features with a deviation of 1, gets `strength` added to its
    diagonal. Products are computed once for all strengths: of features with each other, or, where
    there are fewer pictures than features, of pictures (Woodbury's identity).
    """

    def __init__(self, learned: Learned) -> None:
        labels, weights = learned.labels, learned.weights
        member = np.zeros((len(labels), learned.classes), np.float32)
        member[np.arange(len(labels)), labels] = weights
        self._share = member.sum(axis=0)
        self._means = (member.T @ learned.values) / np.maximum(self._share, 1e-12)[:, None]
        self._rest = (learned.values - self._means[labels]) * np.sqrt(weights)[:, None]
        self._by_pictures = len(labels) < learned.values.shape[1]
        one = self._rest.T if self._by_pictures else self._rest
        self._products = one.T @ one

    def at(self, strength: float) -> Linear:
        """Classes that are not there get next to no probability."""
        means = self._means.T
        if self._by_pictures:
            inner = self._solved(strength, self._rest @ means)
            weights = (means - self._rest.T @ inner) / strength
        else:
            weights = self._solved(strength, means)
        log_shares = np.log(np.maximum(self._share, 1e-12))
        offsets = log_shares - (means * weights).sum(axis=0) / 2
        found = Linear(weights.astype(np.float32), offsets.astype(np.float32))
        return _without(found, self._share > 0)

    def _solved(self, strength: float, right: np.ndarray) -> np.ndarray:
        """The products, with `strength` on their diagonal, solved for these columns."""
        from scipy.linalg import cho_factor, cho_solve

        left = self._products.copy()
        left[np.diag_indices_from(left)] += np.float32(strength)
        factor = cho_factor(left, overwrite_a=True, check_finite=False)
        found: np.ndarray = cho_solve(factor, right, check_finite=False)
        return found


class Softmaxes:
    """Softmaxes with L2 regularisation: each begins where the one before ended.

    A `strength` is 1 / (n C) of scikit-learn's LogisticRegression: what half of the sum of squared
    weights is multiplied by, beside the mean log loss. L-BFGS (Liu and Nocedal 1989), by SciPy.
    """

    def __init__(self, learned: Learned) -> None:
        self._learned = learned
        self._start = np.zeros((learned.values.shape[1] + 1) * learned.classes)

    def at(self, strength: float) -> Linear:
        """Classes that are not there get next to no probability."""
        from scipy.optimize import minimize

        options = {"maxiter": ITERATIONS, "gtol": TOLERANCE, "ftol": 1e-7}
        found = minimize(
            self._loss, self._start, args=(strength,), jac=True, method="L-BFGS-B", options=options
        )
        self._start = found.x
        weights = found.x.reshape(-1, self._learned.classes).astype(np.float32)
        there = np.bincount(self._learned.labels, minlength=self._learned.classes) > 0
        return _without(Linear(weights[:-1], weights[-1]), there)

    def _loss(self, flat: np.ndarray, strength: float) -> tuple[float, np.ndarray]:
        """The mean log loss with its penalty, and its slope."""
        values, labels, counts, classes = self._learned
        weights = flat.reshape(-1, classes).astype(np.float32)
        each = np.arange(len(labels))
        logits = values @ weights[:-1]
        logits += weights[-1]
        logits -= logits.max(axis=1, keepdims=True)
        of_truth = logits[each, labels].copy()
        shares = np.exp(logits, out=logits)
        total = shares.sum(axis=1)
        loss = float(counts @ (np.log(total) - of_truth))
        shares *= (counts / total)[:, None]
        shares[each, labels] -= counts
        slope = np.empty(weights.shape)
        slope[:-1] = values.T @ shares + strength * weights[:-1]
        slope[-1] = shares.sum(axis=0)
        return loss + strength / 2 * float((weights[:-1] ** 2).sum()), slope.ravel()


def _without(found: Linear, there: np.ndarray) -> Linear:
    """The same, with next to no probability for classes that are not `there` (classes,) bool."""
    weights = np.where(there, found.weights, 0)
    return Linear(weights, np.where(there, found.offsets, UNSEEN).astype(np.float32))
