"""The trainings of one model, one after the other, with a seed each and their progress."""

import functools
from collections.abc import Callable
from pathlib import Path

from tasks.running.progress import tracked_in_parts
from tasks.train import progress_callbacks
from tasks.train.batches import Labelled, steps_of
from tasks.train.fit import Fitted, fit
from tasks.train.parameters import Training
from tasks.train.parts import Build


def fit_all(
    build: Build,
    train: Labelled,
    validation: Labelled,
    *,
    training: Training,
    unfinished: Path,
    logs: Path | None,
    show: Callable[[float], None],
) -> list[Fitted]:
    """One training per repeat, with progress; `unfinished` and `logs` get a folder for each."""
    steps = steps_of(len(train.labels), training.batch_size, training.steps_per_epoch)
    epochs = build.epochs + training.epochs
    seeds = range(training.seed, training.seed + training.repeats)
    fitted = []
    with tracked_in_parts("epochs", len(seeds) * epochs, "batches", steps, show) as advance:
        for number, seed in enumerate(seeds):
            count = progress_callbacks.Count(*advance, steps)
            folder = unfinished / str(number)
            watch = progress_callbacks.callbacks(count, None)
            fitted.append(
                fit(
                    functools.partial(build.model, seed, folder, watch),
                    train,
                    validation,
                    shape=build.shape,
                    training=training,
                    seed=seed,
                    unfinished=folder,
                    callbacks=progress_callbacks.callbacks(
                        count, logs and logs / str(number), before=build.epochs
                    ),
                )
            )
            count.up_to(epochs)
    return fitted
