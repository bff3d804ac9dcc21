"""The three kinds of models that can be trained, and the trainings with one seed each."""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from storage.features import FeatureSpace
from tasks.extract.backbone import Backbone
from tasks.progress import tracked_in_parts
from tasks.tensorflow import load_keras
from tasks.train.batches import Labelled, steps_of
from tasks.train.fine_tuning import FineTuning, build_tuned, through
from tasks.train.fit import Fitted, Schedule, fit
from tasks.train.head import Head, build_head
from tasks.train.networks import Network, build_network
from tasks.train.watching import callbacks

# A model not trained yet, made for a seed; the folder is for a first stage that may be killed.
Build = Callable[[int, Path], Any]


def builder(
    part: Head | FineTuning | Network,
    space: FeatureSpace,
    weights: Path | None,
    *,
    classes: int,
    train: Labelled,
    validation: Labelled,
    batch_size: int,
) -> Build:
    """What makes the model that is trained on features of `space`."""
    shape = space.shape
    if isinstance(part, Head):
        return lambda _seed, _folder: build_head(part, shape, classes)
    if isinstance(part, Network):
        return lambda _seed, _folder: build_network(part, shape, classes)
    backbone = backbone_of(space, weights)

    @functools.cache
    def below() -> tuple[Labelled, Labelled, tuple[int, ...]]:
        top = backbone.top()
        seen = through(top, train, shape), through(top, validation, shape)
        return *seen, tuple(top.output_shape[1:])

    def build(seed: int, folder: Path) -> Any:
        held_in, held_out, top_shape = below()
        head = fit(
            lambda: build_head(part.head, top_shape, classes),
            held_in,
            held_out,
            shape=top_shape,
            schedule=Schedule("adam", part.head_learning_rate, part.head_epochs, batch_size),
            seed=seed,
            unfinished=folder / "head",
        ).model
        load_keras().utils.set_random_seed(seed)
        return build_tuned(part, backbone.top(), head, shape, classes)

    return build


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
    total = len(seeds) * schedule.epochs
    with tracked_in_parts("epochs", total, "batches", steps, show) as advance:
        return [
            fit(
                functools.partial(build, seed, unfinished / str(number)),
                train,
                validation,
                shape=shape,
                schedule=schedule,
                seed=seed,
                unfinished=unfinished / str(number),
                seconds_between=seconds_between,
                callbacks=callbacks(*advance, logs and logs / str(number)),
            )
            for number, seed in enumerate(seeds)
        ]


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
