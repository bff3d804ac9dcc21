"""The step `extract`: a split goes in, the features of its pictures come out."""

import os
from functools import partial
from pathlib import Path

from prefect import task

from storage import manifests
from storage.features import FeatureStore
from storage.images import ImageStore
from storage.references import SPLITS, FeaturesRef, SplitRef
from storage.workspace import Workspace
from tasks import tally
from tasks.caching import ByContent, progress_artifact
from tasks.extract import pixels
from tasks.extract.backbone import Backbone
from tasks.extract.extractor import extract as extract_missing
from tasks.extract.precision import Precision
from tasks.extract.preprocessing import Preprocessing
from tasks.progress import tracked

# Whatever place the weights come from, they are the same; batches only change the speed.
WITHOUT_EFFECT = frozenset({"weights", "batch_size", "workers"})


@task(name="extract", cache_policy=ByContent(without_effect=WITHOUT_EFFECT))
def extract(
    split: SplitRef,
    backbone: str,
    image_size: int,
    preprocessing: Preprocessing,
    precision: Precision,
    layer: str | None = None,
    weights: Path | None = None,
    batch_size: int = 16,
    workers: int | None = None,
) -> FeaturesRef:
    """Features of every picture in the split; pictures already known are not computed again."""
    workspace = Workspace.current()
    table = manifests.load(workspace.root / split.where)
    names = table.loc[table["split"].isin(SPLITS), "image"].tolist()
    network = Backbone(backbone, image_size, preprocessing, precision, layer, weights)
    model = network.build()
    store = FeatureStore(workspace, network.space(model))
    missing = store.missing(names)
    load = partial(pixels.load, ImageStore(workspace.images), side=image_size)
    with tracked("extract", len(missing), progress_artifact("extract")) as advance:
        extracted = extract_missing(
            missing, load, model, store,
            batch_size=batch_size, workers=workers or os.cpu_count() or 1, advance=advance,
        )  # fmt: skip
    tally.count("extracted", extracted)
    return store.reference(names)
