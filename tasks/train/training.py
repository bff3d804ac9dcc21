"""The three kinds of models that can be trained, and the trainings with one seed each."""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from storage.features import FeatureSpace
from tasks.extract.backbone import Backbone
from tasks.running.progress import tracked_in_parts
from tasks.train import progress_callbacks
from tasks.train.batches import Labelled, steps_of
from tasks.train.fine_tuning import FineTuning, build_tuned, through
from tasks.train.fit import Fitted, fit
from tasks.train.head import Head, build_head
from tasks.train.networks import Network, build_network
from tasks.train.randomness import start_from
from tasks.train.schedule import Schedule


class Build(NamedTuple):
    """How a model comes to be that is then trained: for a seed, in a folder that survives a kill.

    `epochs` is how many a first stage takes; the callbacks are those that watch it.
    """

    model: Callable[[int, Path, tuple[Any, ...]], Any]
    epochs: int = 0


def builder(
    part: Head | FineTuning | Network,
    space: FeatureSpace,
    weights: Path | None,
    *,
    classes: int,
    train: Labelled,
    validation: Labelled,
    batch_size: int,
    seconds_between: float,
) -> Build:
    """What makes the model that is trained on features of `space`."""
    shape = space.shape
    if isinstance(part, Head):
        return Build(lambda _seed, _folder, _watch: build_head(part, shape, classes))
    if isinstance(part, Network):
        return Build(lambda _seed, _folder, _watch: build_network(part, shape, classes))
    backbone = backbone_of(space, weights)

    @functools.cache
    def below() -> tuple[Labelled, Labelled, tuple[int, ...]]:
        above = backbone.above()
        seen = through(above, train, shape), through(above, validation, shape)
        return *seen, tuple(above.output_shape[1:])

    def tuned(seed: int, folder: Path, watch: tuple[Any, ...]) -> Any:
        held_in, held_out, above_shape = below()
        head = fit(
            lambda: build_head(part.head, above_shape, classes),
            held_in,
            held_out,
            shape=above_shape,
            schedule=Schedule("adam", part.head_learning_rate, part.head_epochs, batch_size),
            seed=seed,
            unfinished=folder / "head",
            seconds_between=seconds_between,
            callbacks=watch,
            rate_name="model.head_learning_rate",
        ).model
        start_from(seed)
        return build_tuned(part, backbone.above(), head, shape, classes)

    return Build(tuned, part.head_epochs)


def fit_all(
    build: Build,
    train: Labelled,
    validation: Labelled,
    *,
    shape: tuple[int, ...],
    schedule: Schedule,
    seeds: Sequence[int],
    unfinished: Path,
    logs: Path | None,
    seconds_between: float,
    show: Callable[[float], None],
) -> list[Fitted]:
    """One training per seed, with progress; `unfinished` and `logs` get a folder for each."""
    steps = steps_of(len(train.labels), schedule.batch_size, schedule.steps_per_epoch)
    epochs = build.epochs + schedule.epochs
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
                    shape=shape,
                    schedule=schedule,
                    seed=seed,
                    unfinished=folder,
                    seconds_between=seconds_between,
                    callbacks=progress_callbacks.callbacks(
                        count, logs and logs / str(number), before=build.epochs
                    ),
                )
            )
            count.up_to(epochs)
    return fitted


def backbone_of(space: FeatureSpace, weights: Path | None = None) -> Backbone:
    """The backbone that computed a feature space."""
    return Backbone(
        name=space.backbone,
        image_size=space.image_size,
        preprocessing="imagenet" if space.preprocessing == "imagenet" else "rescale",
        precision="bfloat16" if space.precision == "bfloat16" else "float32",
        layer=None if space.layer == "last" else space.layer,
        weights=weights,
    )
