"""The step `extract`: a split goes in, the features of its pictures come out."""

import os
from collections.abc import Callable
from functools import cache, lru_cache, partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from storage import manifests
from storage.features import FeatureStore
from storage.images import ImageStore
from storage.references import SPLITS, FeaturesRef, SplitRef
from storage.workspace import Workspace
from tasks.extract.backbone import Backbone
from tasks.extract.extractor import extract as extract_missing
from tasks.extract.precision import Precision
from tasks.extract.preprocessing import Preprocessing
from tasks.pictures import resizing
from tasks.pictures.augmentation import Augmentation
from tasks.pictures.resizing import Pixels
from tasks.pictures.views import MIRROR, PLAIN, Averaging, augmented, named, parted, seen
from tasks.running import counters
from tasks.running.progress import progress_artifact, tracked
from tasks.running.steps import step

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


# Whatever place the weights come from, they are the same; batches only change the speed.
WITHOUT_EFFECT = frozenset({"weights", "batch_size", "workers"})


@step(without_effect=WITHOUT_EFFECT)
def extract(
    split: SplitRef,
    backbone: str | None,
    image_size: int,
    preprocessing: Preprocessing = "imagenet",
    precision: Precision = "float32",
    layer: str | None = None,
    channels: int = 3,
    views: int = 0,
    augmentation: Augmentation | None = None,
    seed: int = 0,
    averaging: Averaging = "none",
    weights: Path | None = None,
    batch_size: int = 16,
    workers: int | None = None,
) -> FeaturesRef:
    """Features of every picture in the split; pictures already known are not computed again.

    Without a backbone the features are the resized pixels. Training pictures get `views` random
    views beside themselves; with `averaging` "mirror" every picture gets its mirror image.
    """
    workspace = Workspace.current()
    network = (
        Pixels(image_size, channels)
        if backbone is None
        else Backbone(backbone, image_size, preprocessing, precision, layer, weights)
    )
    compute, space = network.prepare()
    table = manifests.load(workspace.root / split.where)
    averaged = (PLAIN, MIRROR) if averaging == "mirror" else (PLAIN,)
    # A mirror image that is there anyhow is trained on where changes may mirror pictures.
    flips = augmentation is not None and augmentation.horizontal_flip
    trained = (*(averaged if flips else (PLAIN,)), *augmented(augmentation, views, seed))
    names = _names(table, trained, averaged)
    store = FeatureStore(workspace, space)
    threads = workers or os.cpu_count() or 1
    load = _loader(ImageStore(workspace.images), image_size, augmentation, held=2 * threads)
    missing = sorted(store.missing(names), key=lambda name: parted(name)[0])
    with tracked("extract", len(missing), progress_artifact("extract")) as advance:
        extracted = extract_missing(
            missing, load, compute, store,
            batch_size=batch_size, workers=threads, advance=advance,
        )  # fmt: skip
    counters.count("extracted", extracted)
    return store.reference(names, views=trained, averaged=averaged)


def _names(table: "pd.DataFrame", trained: tuple[str, ...], averaged: tuple[str, ...]) -> list[str]:
    """Every picture in every view that is wanted of it, pictures as they are first."""
    images = table.loc[table["split"].isin(SPLITS), "image"].tolist()
    train = table.loc[table["split"] == "train", "image"].tolist()
    wanted = [(view, images) for view in averaged]
    wanted += [(view, train) for view in trained if view not in averaged]
    return [named(image, view) for view, chosen in wanted for image in chosen]


def _loader(
    images: ImageStore, side: int, augmentation: Augmentation | None, *, held: int
) -> "Callable[[str], np.ndarray]":
    """A function from a view's name to its pixels.

    The last `held` pictures are kept: a picture is decoded once for views that follow each other,
    however many threads ask for them.
    """
    looking_up = Lock()

    @lru_cache(held)
    def entry(image: str) -> "tuple[Lock, Callable[[], np.ndarray]]":
        return Lock(), cache(partial(resizing.load, images, image, side))

    def load(name: str) -> "np.ndarray":
        # A cache alone lets every thread decode a picture that none has finished yet.
        with looking_up:
            decoding, picture = entry(parted(name)[0])
        with decoding:
            found = picture()
        return seen(found, name, augmentation)

    return load
