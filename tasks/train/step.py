"""The step `train`: features go in, a model comes out."""

import shutil
from pathlib import Path
from typing import Literal

from prefect import task

from storage.references import FeaturesRef, ModelRef, SplitRef
from storage.workspace import Workspace
from tasks.caching import ByContent, key_of, key_parts, progress_artifact
from tasks.progress import tracked
from tasks.train import batches, checkpoint, saving
from tasks.train.fit import fit_head
from tasks.train.head import Head
from tasks.train.labelled import labelled_features

WITHOUT_EFFECT = frozenset({"weights", "seconds_between_checkpoints"})


@task(name="train", cache_policy=ByContent(without_effect=WITHOUT_EFFECT))
def train(
    split: SplitRef,
    features: FeaturesRef,
    head: Head,
    optimizer: str,
    learning_rate: float,
    epochs: int,
    batch_size: int,
    patience: int | None,
    keep: Literal["best", "last"],
    repeats: int,
    seed: int,
    weights: Path | None = None,
    seconds_between_checkpoints: float = checkpoint.SECONDS_BETWEEN,
) -> ModelRef:
    """Heads with the seeds seed, seed + 1, …; the best on validation becomes the model."""
    workspace = Workspace.current()
    inputs = {name: value for name, value in locals().items() if name != "workspace"}
    unfinished = workspace.unfinished / key_of("train", key_parts(train, inputs))
    held_in = labelled_features(workspace, split, features, "train")
    held_out = labelled_features(workspace, split, features, "validation")
    with tracked("train", repeats * epochs, progress_artifact("train")) as advance:
        fitted = [
            fit_head(
                held_in,
                held_out,
                shape=features.shape,
                classes=len(split.classes),
                head=head,
                optimizer=optimizer,
                learning_rate=learning_rate,
                epochs=epochs,
                batch_size=batch_size,
                patience=patience,
                keep=keep,
                seed=seed + repeat,
                unfinished=unfinished / str(repeat),
                seconds_between=seconds_between_checkpoints,
                callbacks=(batches.epoch_progress(advance),),
            )
            for repeat in range(repeats)
        ]
    reference = saving.save(workspace, split, features, fitted, seed=seed, weights=weights)
    shutil.rmtree(unfinished, ignore_errors=True)
    return reference
