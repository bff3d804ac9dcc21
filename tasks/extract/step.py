"""The step `extract`: a split goes in, the features of its pictures come out."""

import pandas as pd

from storage import manifests
from storage.references import SPLITS, FeaturesRef, SplitRef
from storage.workspace import Workspace
from tasks.extract.job import ExtractionJob
from tasks.extract.joined import joined
from tasks.extract.parameters import Drawing
from tasks.features.parameters import Extraction
from tasks.pictures.views import MIRROR, PLAIN, augmented, named, parted
from tasks.running import counters
from tasks.running.engine.mapping import mapped
from tasks.running.engine.parameters import HERE, Engine
from tasks.running.progress import progress_artifact, tracked
from tasks.running.steps import step

# Whatever place the weights come from, they are the same.
WITHOUT_EFFECT = frozenset({"model.weights", "engine"})


@step(without_effect=WITHOUT_EFFECT)
def extract(
    split: SplitRef,
    model: Extraction,
    training: Drawing | None = None,
    engine: Engine = HERE,
) -> FeaturesRef:
    """Features of every picture in the split; pictures already known are not computed again.

    Training pictures get `model.views` random views beside themselves, drawn as `training` says;
    with `model.averaging` "mirror" every picture gets its mirror image. `engine` does the work.
    """
    table = manifests.load(Workspace.current().path(split))
    parts = [_of_one(table, one, training, engine) for one in (model, *model.beside)]
    names = _names(table, parts[0].views, parts[0].averaged)
    return joined(Workspace.current(), names, parts) if model.beside else parts[0]


def _of_one(
    table: pd.DataFrame, model: Extraction, training: Drawing | None, engine: Engine
) -> FeaturesRef:
    """Features by one network, or the pixels."""
    job = ExtractionJob(model, training)
    averaged = (PLAIN, MIRROR) if model.averaging == "mirror" else (PLAIN,)
    # A mirror image that is there anyhow is trained on where changes may mirror pictures.
    flips = training is not None and training.augmentation.horizontal_flip
    drawn = () if training is None else augmented(training.augmentation, model.views, training.seed)
    trained = (*(averaged if flips else (PLAIN,)), *drawn)
    names = _names(table, trained, averaged)
    missing = sorted(job.store.missing(names), key=lambda name: parted(name)[0])
    with tracked("extract", len(missing), progress_artifact("extract")) as advance:
        counters.count("extracted", mapped(engine, job, missing, advance))
    reference = job.store.reference(names, views=trained, averaged=averaged)
    return reference.model_copy(update={"remarks": tuple(filter(None, [job.prepared.remark]))})


def _names(table: pd.DataFrame, trained: tuple[str, ...], averaged: tuple[str, ...]) -> list[str]:
    """Every picture in every view that is wanted of it, pictures as they are first."""
    images = table.loc[table["split"].isin(SPLITS), "image"].tolist()
    train = table.loc[table["split"] == "train", "image"].tolist()
    wanted = [(view, images) for view in averaged]
    wanted += [(view, train) for view in trained if view not in averaged]
    return [named(image, view) for view, chosen in wanted for image in chosen]
