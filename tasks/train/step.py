"""The step `train`: features go in, a model comes out."""

import shutil
from pathlib import Path

from storage.features import FeatureSpace
from storage.references import FeaturesRef, ModelRef, SplitRef
from storage.workspace import Workspace
from tasks.running.progress import progress_artifact
from tasks.running.steps import key_of, key_parts, step
from tasks.train import progress_callbacks
from tasks.train.model_folder import saving
from tasks.train.parameters import Network, Trained, Training
from tasks.train.parts import PARTS, Materials
from tasks.train.training import Place
from tasks.train.training_rows import labelled_features

WITHOUT_EFFECT = frozenset(
    {"weights", "training.seconds_between_checkpoints", "training.tensorboard"}
)


@step(without_effect=WITHOUT_EFFECT)
def train(
    split: SplitRef,
    features: FeaturesRef,
    model: Trained,
    training: Training,
    weights: Path | None = None,
) -> ModelRef:
    """Models with the seeds seed, seed + 1, …; the best on validation becomes the model.

    `model` is what is trained on the features: a head, layers of the backbone with a head, or a
    network on pixels. A head that is chosen is one model, whatever the seeds.
    """
    if training.tensorboard:
        progress_callbacks.require_tensorboard()
    workspace = Workspace.current()
    given = {"split": split, "features": features, "model": model, "training": training}
    key = key_of("train", key_parts(train, given))
    held_in = labelled_features(workspace, split, features, "train")
    held_out = labelled_features(workspace, split, features, "validation")
    space = FeatureSpace.load(workspace, features)
    if not isinstance(model, Network):
        training = _without_changes(training)
    made_of = Materials(space, weights, len(split.classes), held_in, held_out, training)
    place = Place(
        unfinished=workspace.unfinished / key,
        logs=workspace.tensorboard / key if training.tensorboard else None,
        show=progress_artifact("train"),
    )
    fitted = PARTS[type(model)].train(model, made_of, place)
    reference = saving.save(
        workspace, split, features, fitted, part=model, seed=training.seed, weights=weights
    )
    shutil.rmtree(place.unfinished, ignore_errors=True)
    return reference


def _without_changes(training: Training) -> Training:
    """On features there is nothing to change at random: their views were drawn by `extract`."""
    return training.model_copy(update={"augmentation": None})
