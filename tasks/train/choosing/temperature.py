"""Temperature scaling: one number that makes a model's probabilities mean what they say.

Guo, Pleiss, Sun and Weinberger, On Calibration of Modern Neural Networks (ICML 2017): logits are
divided by a temperature that is fitted on pictures that the model has not seen. Which class is the
most probable stays. Where none of them is wrong the best temperature would be 0: targets are a
little less than 1, as Platt's are (Probabilistic Outputs for Support Vector Machines, 1999).
"""

from typing import Any

import numpy as np

from tasks.train.choosing.logits import log_softmax

LOWEST, HIGHEST = 0.02, 1000.0
# Fewer pictures than these say too little.
FEWEST = 20


def fitted(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature that gives (n, classes) logits the least log loss; 1 of too few."""
    from scipy.optimize import minimize_scalar

    if len(labels) < FEWEST:
        return 1.0
    doubt, each = 1 / (len(labels) + 2), np.arange(len(labels))

    def loss(power: float) -> float:
        found = log_softmax(logits / np.exp(power))
        return float(-(1 - doubt) * found[each, labels].mean() - doubt * found.mean())

    bounds = np.log(LOWEST), np.log(HIGHEST)
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def apply(model: Any, temperature: float) -> None:
    """The same for all that a Keras model will say: its last layer's weights are divided."""
    if temperature != 1:
        last = model.get_layer("probability")
        last.set_weights([weights / temperature for weights in last.get_weights()])
