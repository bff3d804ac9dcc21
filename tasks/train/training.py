"""The trainings of one model, one after the other, with a seed each and their progress."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tasks.features.prepared import as_it_is
from tasks.running.progress import tracked_in_parts
from tasks.train import progress_callbacks
from tasks.train.batches import Labelled, steps_of
from tasks.train.choosing import temperature
from tasks.train.choosing.logits import of_probabilities
from tasks.train.fit import Fitted, fit
from tasks.train.parameters import Training
from tasks.train.predict import probabilities


class Build(NamedTuple):
    """How a model comes to be that is then trained: for a seed, in a folder that survives a kill.

    `epochs` is how many a first stage takes; the callbacks are those that watch it. `rows` are what
    the model is trained on, of this `shape`, and `whole` makes of it the part that is kept.
    """

    model: Callable[[int, Path, tuple[Any, ...]], Any]
    shape: tuple[int, ...]
    epochs: int = 0
    rows: Callable[[Labelled], Labelled] = as_it_is
    whole: Callable[[Any], Any] = as_it_is


class Place(NamedTuple):
    """Where a training keeps its state and its logs, and how it shows how far it is."""

    unfinished: Path
    logs: Path | None
    show: Callable[[float], None]


def fit_all(
    build: Build, train: Labelled, validation: Labelled, training: Training, place: Place
) -> list[Fitted]:
    """One training per repeat, with progress; each gets a folder of its own."""
    train, validation = build.rows(train), build.rows(validation)
    steps = steps_of(len(train.labels), training.batch_size, training.steps_per_epoch)
    epochs = build.epochs + training.epochs
    seeds = range(training.seed, training.seed + training.repeats)
    fitted = []
    with tracked_in_parts("epochs", len(seeds) * epochs, "batches", steps, place.show) as advance:
        for number, seed in enumerate(seeds):
            count = progress_callbacks.Count(*advance, steps)
            folder = place.unfinished / str(number)
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
                        count, place.logs and place.logs / str(number), before=build.epochs
                    ),
                )
            )
            count.up_to(epochs)
    if training.calibration == "temperature":
        fitted = [_calibrated(one, validation, build.shape) for one in fitted]
    return [one._replace(model=build.whole(one.model)) for one in fitted]


def _calibrated(fitted: Fitted, validation: Labelled, shape: tuple[int, ...]) -> Fitted:
    """The same with probabilities that mean what they say, as far as validation tells."""
    count = len(validation.labels)
    if not count:
        return fitted
    found = probabilities(fitted.model, validation.rows, count, shape)
    heat = temperature.fitted(of_probabilities(found), validation.labels)
    temperature.apply(fitted.model, heat)
    return fitted._replace(facts={"temperature": heat})
