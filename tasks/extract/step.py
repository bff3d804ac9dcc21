"""The step `extract`: a split goes in, the features of its pictures come out."""

import os

import pandas as pd

from storage import manifests
from storage.features import FeatureStore
from storage.images import ImageStore
from storage.references import SPLITS, FeaturesRef, SplitRef
from storage.workspace import Workspace
from tasks.extract.joined import joined
from tasks.extract.parameters import Drawing
from tasks.features.backbone import Backbone
from tasks.features.extractor import extract as extract_missing
from tasks.features.parameters import Extraction
from tasks.features.picture_cache import loader
from tasks.features.pixels import Pixels
from tasks.features.prepared import Prepared
from tasks.pictures import native_messages
from tasks.pictures.parameters import Square
from tasks.pictures.views import MIRROR, PLAIN, augmented, named, parted
from tasks.running import counters
from tasks.running.progress import progress_artifact, tracked
from tasks.running.steps import step

# Whatever place the weights come from, they are the same.
WITHOUT_EFFECT = frozenset({"model.weights"})
# A batch has as many pixels as this many pictures of 128 pixels on a side: of tiny pictures so few
# would leave the processor waiting for the next batch.
PICTURES_AT_A_TIME, MOST_AT_A_TIME = 16, 256


@step(without_effect=WITHOUT_EFFECT)
def extract(split: SplitRef, model: Extraction, training: Drawing | None = None) -> FeaturesRef:
    """Features of every picture in the split; pictures already known are not computed again.

    Training pictures get `model.views` random views beside themselves, drawn as `training` says;
    with `model.averaging` "mirror" every picture gets its mirror image.
    """
    table = manifests.load(Workspace.current().path(split))
    parts = [_of_one(table, one, training) for one in (model, *model.beside)]
    names = _names(table, parts[0].views, parts[0].averaged)
    return joined(Workspace.current(), names, parts) if model.beside else parts[0]


def _of_one(table: pd.DataFrame, model: Extraction, training: Drawing | None) -> FeaturesRef:
    """Features by one network, or the pixels."""
    workspace = Workspace.current()
    threads = os.cpu_count() or 1
    prepared = prepared_for(model, threads)
    averaged = (PLAIN, MIRROR) if model.averaging == "mirror" else (PLAIN,)
    # A mirror image that is there anyhow is trained on where changes may mirror pictures.
    flips = training is not None and training.augmentation.horizontal_flip
    drawn = () if training is None else augmented(training.augmentation, model.views, training.seed)
    trained = (*(averaged if flips else (PLAIN,)), *drawn)
    names = _names(table, trained, averaged)
    store = FeatureStore(workspace, prepared.space)
    augmentation = None if training is None else training.augmentation
    square = Square(model.image_size, model.resize)
    load = loader(ImageStore(workspace.images), square, augmentation, held=2 * threads)
    missing = sorted(store.missing(names), key=lambda name: parted(name)[0])
    showing = tracked("extract", len(missing), progress_artifact("extract"))
    with showing as advance, native_messages.quiet():
        extracted = extract_missing(
            missing, load, prepared, store,
            batch_size=batch_size(model.image_size), workers=threads, advance=advance,
        )  # fmt: skip
    counters.count("extracted", extracted)
    reference = store.reference(names, views=trained, averaged=averaged)
    return reference.model_copy(update={"remarks": tuple(filter(None, [prepared.remark]))})


def _names(table: pd.DataFrame, trained: tuple[str, ...], averaged: tuple[str, ...]) -> list[str]:
    """Every picture in every view that is wanted of it, pictures as they are first."""
    images = table.loc[table["split"].isin(SPLITS), "image"].tolist()
    train = table.loc[table["split"] == "train", "image"].tolist()
    wanted = [(view, images) for view in averaged]
    wanted += [(view, train) for view in trained if view not in averaged]
    return [named(image, view) for view, chosen in wanted for image in chosen]


def batch_size(side: int) -> int:
    """How many pictures of this side, in pixels, go through a network together."""
    same = PICTURES_AT_A_TIME * 128**2 // side**2
    return min(MOST_AT_A_TIME, max(PICTURES_AT_A_TIME, same))


def prepared_for(model: Extraction, threads: int) -> Prepared:
    """What computes the features: a pretrained network, or nothing but resizing."""
    if model.backbone is None:
        return Pixels(model.image_size, model.channels, model.resize).prepare()
    return Backbone.told(model, model.weights).prepare(threads)
