"""Logits, probabilities and log loss, as arrays."""

import numpy as np

# A probability counts as no less than this.
LEAST = 1e-7


def softmax(logits: np.ndarray) -> np.ndarray:
    """(n, classes) that sum to 1."""
    found = np.exp(logits - logits.max(axis=1, keepdims=True))
    total: np.ndarray = found / found.sum(axis=1, keepdims=True)
    return total


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Logarithms of (n, classes) probabilities, however small those are."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    found: np.ndarray = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return found


def of_probabilities(probabilities: np.ndarray) -> np.ndarray:
    """Logits (n, classes) that give these probabilities, those below LEAST taken for LEAST."""
    found: np.ndarray = np.log(np.maximum(probabilities, LEAST))
    return found


def losses(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(n,) minus logarithms of the true classes' probabilities."""
    of_truth = probabilities[np.arange(len(labels)), labels]
    found: np.ndarray = -np.log(np.maximum(of_truth, LEAST))
    return found
