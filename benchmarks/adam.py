"""Training steps of AlexNet with our Adam, beside the same steps with Keras's.

62 million weights, batches of 32 random pictures held in memory, each in the precision that this
machine would choose: what is timed is the network and its optimiser. Trainings take turns, medians
are compared.
"""

import statistics
import time
from typing import Any

import numpy as np

from benchmarks.measuring import write
from tasks.extract.precision import resolve
from tasks.tensorflow import load_keras
from tasks.train.adam import fused_adam
from tasks.train.networks import Network, build_network
from tasks.train.randomness import start_from

BATCH, STEPS, ROUNDS = 32, 6, 5


def trained(optimizer: Any, pictures: np.ndarray) -> float:
    """Seconds of `STEPS` steps; a first one, which compiles, is not counted."""
    start_from(1)
    model = build_network(Network(name="alexnet", precision=resolve("auto")), pictures.shape[1:], 2)
    model.compile(optimizer, "sparse_categorical_crossentropy", jit_compile=False)
    labels = np.arange(BATCH) % 2
    model.train_on_batch(pictures, labels)
    started = time.perf_counter()
    for _ in range(STEPS):
        model.train_on_batch(pictures, labels)
    return time.perf_counter() - started


def main() -> None:
    """Ours and Keras's, in turns."""
    adam = load_keras().optimizers.Adam
    pictures = np.random.default_rng(1).integers(0, 256, (BATCH, 224, 224, 3), np.uint8)
    rounds = [
        (trained(fused_adam()(1e-4), pictures), trained(adam(1e-4), pictures))
        for _ in range(ROUNDS)
    ]
    ours, theirs = (statistics.median(column) / STEPS for column in zip(*rounds, strict=True))
    write(
        "adam",
        {
            "precision": resolve("auto"),
            "milliseconds_a_step": round(ours * 1000),
            "keras_milliseconds_a_step": round(theirs * 1000),
            "times_as_fast": round(statistics.median(b / a for a, b in rounds), 2),
        },
    )


if __name__ == "__main__":
    main()
