"""Random numbers that depend on the seed and the epoch alone, not on what ran before.

Keras does not save the state of dropout's random numbers: a training taken up again would draw
others than the one that was never stopped.
"""

from typing import Any

from tasks.tensorflow import load_keras

STATE = "seed_generator_state"


def reseeding(seed: int) -> Any:
    """A Keras callback that sets the state of every random layer at the start of each epoch."""
    import numpy as np

    keras = load_keras()

    class Reseeding(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        """Each layer draws from a stream of its own."""

        def on_epoch_begin(self, epoch: int, _logs: Any = None) -> None:
            states = [one for one in self.model.variables if one.path.endswith(STATE)]
            for number, state in enumerate(states):
                drawn = np.random.default_rng((seed, epoch, number)).integers(0, 2**31)
                state.assign(np.array([drawn, 0], dtype=state.dtype))

    return Reseeding()
