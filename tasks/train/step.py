"""The step `train`: features go in, a model comes out."""

import shutil
from pathlib import Path
from typing import Literal

from storage.features import FeatureSpace
from storage.references import FeaturesRef, ModelRef, SplitRef
from storage.workspace import Workspace
from tasks.pictures.augmentation import Augmentation
from tasks.running.progress import progress_artifact
from tasks.running.steps import key_of, key_parts, step
from tasks.train import checkpoint, progress_callbacks, saving
from tasks.train.fine_tuning import FineTuning
from tasks.train.head import Head
from tasks.train.networks import Network
from tasks.train.schedule import Schedule
from tasks.train.training import builder, fit_all
from tasks.train.training_rows import labelled_features

WITHOUT_EFFECT = frozenset({"weights", "seconds_between_checkpoints", "tensorboard"})


@step(without_effect=WITHOUT_EFFECT)
def train(
    split: SplitRef,
    features: FeaturesRef,
    part: Head | FineTuning | Network,
    optimizer: str,
    learning_rate: float,
    epochs: int,
    batch_size: int,
    momentum: float,
    decay: float,
    cosine: bool,  # noqa: FBT001 - a parameter among others, always given by name
    label_smoothing: float,
    mixup: float,
    patience: int | None,
    keep: Literal["best", "last"],
    steps_per_epoch: int | None,
    augmentation: Augmentation | None,
    repeats: int,
    seed: int,
    weights: Path | None = None,
    tensorboard: bool = False,  # noqa: FBT001, FBT002
    seconds_between_checkpoints: float = checkpoint.SECONDS_BETWEEN,
) -> ModelRef:
    """Models with the seeds seed, seed + 1, …; the best on validation becomes the model.

    `part` is what is trained on the features: a head, layers of the backbone with a head, or a
    network on pixels.
    """
    if tensorboard:
        progress_callbacks.require_tensorboard()
    workspace = Workspace.current()
    inputs = {name: value for name, value in locals().items() if name != "workspace"}
    key = key_of("train", key_parts(train, inputs))
    schedule = Schedule(**{name: inputs[name] for name in Schedule._fields})
    if not isinstance(part, Network):
        schedule = schedule._replace(augmentation=None)  # their views were drawn by `extract`
    held_in = labelled_features(workspace, split, features, "train")
    held_out = labelled_features(workspace, split, features, "validation")
    build = builder(
        part, FeatureSpace.load(workspace, features), weights,
        classes=len(split.classes), train=held_in, validation=held_out, batch_size=batch_size,
        seconds_between=seconds_between_checkpoints,
    )  # fmt: skip
    fitted = fit_all(
        build, held_in, held_out,
        shape=features.shape,
        schedule=schedule,
        seeds=range(seed, seed + repeats),
        unfinished=workspace.unfinished / key,
        logs=workspace.tensorboard / key if tensorboard else None,
        seconds_between=seconds_between_checkpoints,
        show=progress_artifact("train"),
    )  # fmt: skip
    reference = saving.save(
        workspace, split, features, fitted, part=part, seed=seed, weights=weights
    )
    shutil.rmtree(workspace.unfinished / key, ignore_errors=True)
    return reference
