"""Random numbers that depend on the seed and the epoch alone, not on what ran before or beside.

Keras does not save the state of dropout's random numbers: a training taken up again would draw
others than the one that was never stopped.
"""

import importlib
import random
from typing import Any

import numpy as np

from tasks.running.tensorflow import load_keras

STATE = "seed_generator_state"


def start_from(seed: int) -> None:
    """Make all that Keras draws from here on depend on `seed` alone.

    Keras draws the seeds of initial weights from Python's generator, which every thread shares:
    one of Prefect's that draws in between would give other weights. It gets one of its own.
    """
    load_keras().utils.set_random_seed(seed)
    seeds: Any = importlib.import_module("keras.src.random.seed_generator")
    seeds.python_random = random.Random(seed)  # noqa: S311 - weights are no secret


def reseeding(seed: int) -> Any:
    """A Keras callback that sets the state of every random layer at the start of each epoch."""
    keras = load_keras()

    class Reseeding(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        """Each layer draws from a stream of its own."""

        def on_epoch_begin(self, epoch: int, _logs: Any = None) -> None:
            states = [one for one in self.model.variables if one.path.endswith(STATE)]
            for number, state in enumerate(states):
                drawn = np.random.default_rng((seed, epoch, number)).integers(0, 2**31)
                state.assign(np.array([drawn, 0], dtype=state.dtype))

    return Reseeding()
