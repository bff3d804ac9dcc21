"""Training steps with the kernels chosen here, beside the same steps as Keras computes them.

AlexNet (62 million weights) with our Adam, beside Keras's; SmallerVGGNet with its batch
normalisations fused, beside Keras's, both with our Adam. Batches of 32 random pictures held in
memory, each network in its experiment's size and the precision that this machine would choose: what
is timed is the network and its optimiser. Trainings take turns, medians are compared.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.measuring import write
from tasks.features.precision import resolve
from tasks.running.tensorflow import load_keras
from tasks.train.keras_parts.batch_normalisation import fuse
from tasks.train.keras_parts.fused_adam import fused_adam
from tasks.train.networks import build_network
from tasks.train.parameters import Network, NetworkName
from tasks.train.randomness import start_from

BATCH, STEPS, ROUNDS = 32, 6, 5


def trained(name: NetworkName, side: int, prepare: Callable[[Any], Any], optimizer: Any) -> float:
    """Seconds of `STEPS` steps; a first one, which compiles, is not counted."""
    start_from(1)
    pictures = np.random.default_rng(1).integers(0, 256, (BATCH, side, side, 3), np.uint8)
    labels = np.arange(BATCH) % 2
    network = Network(network=name, precision=resolve("auto"))
    model = prepare(build_network(network, pictures.shape[1:], 2))
    model.compile(optimizer, "sparse_categorical_crossentropy", jit_compile=False)
    model.train_on_batch(pictures, labels)
    started = time.perf_counter()
    for _ in range(STEPS):
        model.train_on_batch(pictures, labels)
    return time.perf_counter() - started


def compared(ours: Callable[[], float], theirs: Callable[[], float]) -> dict[str, float]:
    """Milliseconds of a step, and how many times as fast ours is."""
    rounds = [(ours(), theirs()) for _ in range(ROUNDS)]
    mine, others = (statistics.median(column) / STEPS for column in zip(*rounds, strict=True))
    return {
        "milliseconds_a_step": round(mine * 1000),
        "keras_milliseconds_a_step": round(others * 1000),
        "times_as_fast": round(statistics.median(b / a for a, b in rounds), 2),
    }


def main() -> None:
    """Each kernel."""
    adam = load_keras().optimizers.Adam

    def alexnet(optimizer: Any) -> float:
        return trained("alexnet", 224, lambda model: model, optimizer)

    def smaller_vgg(prepare: Callable[[Any], Any]) -> float:
        return trained("smaller_vgg", 96, prepare, fused_adam()(1e-4))

    write(
        "training_steps",
        {
            "precision": resolve("auto"),
            "adam": compared(lambda: alexnet(fused_adam()(1e-4)), lambda: alexnet(adam(1e-4))),
            "batch_normalisation": compared(
                lambda: smaller_vgg(fuse), lambda: smaller_vgg(lambda model: model)
            ),
        },
    )


if __name__ == "__main__":
    main()
