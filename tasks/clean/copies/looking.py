"""Looking at pictures for the first time: EfficientNetLite0's features, and what clean keeps."""

import math
import os
from collections.abc import Callable

import numpy as np

from storage.features import FeatureStore, FeatureTable
from storage.images import ImageStore
from storage.shards import ShardStore
from storage.workspace import Workspace
from tasks.clean.copies import looks
from tasks.clean.parameters import Looking
from tasks.features.backbone import Backbone
from tasks.features.extractor import extract
from tasks.features.prepared import Prepared
from tasks.pictures import native_messages, resizing
from tasks.running import counters
from tasks.running.progress import Advance

PICTURES_AT_A_TIME = 16
Load = Callable[[str], np.ndarray]


def missing(workspace: Workspace, names: list[str]) -> list[str]:
    """The images that were not looked at yet, by this code."""
    known = looks.store_of(workspace).index()
    return [name for name in names if name not in known]


def look_at(workspace: Workspace, names: list[str], looking: Looking, advance: Advance) -> str:
    """Looks of images that have none; a remark on what computed them, or "".

    Features that are stored are not computed again; new ones are stored if a later step wants them.
    """
    prepared = Backbone.told(looking.network).prepare(os.cpu_count() or 1)
    features = FeatureStore(workspace, prepared.space)
    new = features.missing(names)
    _keep(workspace, new, _pixels(workspace), prepared, features if looking.keep else None, advance)
    stored = sorted(set(names) - set(new))
    if stored:
        table = FeatureTable(features.shards, stored, math.prod(prepared.space.shape))
        places = {name: place for place, name in enumerate(stored)}

        def maps(name: str) -> np.ndarray:
            row = table.rows(np.array([places[name]]))
            return row.reshape(prepared.space.shape)

        _keep(workspace, stored, _pixels(workspace), Prepared(prepared.space), None, advance, maps)
    counters.count("looked_at", len(names))
    if looking.keep:
        counters.count("extracted", len(new))
    return prepared.remark


def _pixels(workspace: Workspace) -> Load:
    images = ImageStore(workspace.images)
    return lambda name: resizing.load(images, name, looks.SEEN)


def _keep(
    workspace: Workspace,
    names: list[str],
    pixels: Load,
    prepared: Prepared,
    features: FeatureStore | None,
    advance: Advance,
    maps: Load | None = None,
) -> None:
    """Shards of looks, and of `features`; `maps` gives those of an image if they are known."""
    keeping = _Keeping(looks.store_of(workspace), features)

    def load(name: str) -> np.ndarray:
        shown = pixels(name)
        keeping.seen[name] = looks.seen(shown)
        return shown if maps is None else maps(name)

    with native_messages.quiet():
        extract(
            names, load, prepared, keeping,
            batch_size=PICTURES_AT_A_TIME, workers=os.cpu_count() or 1, advance=advance,
        )  # fmt: skip


class _Keeping:
    """Where the extractor puts features: into shards of looks, and their own if they are wanted."""

    def __init__(self, store: ShardStore, features: FeatureStore | None) -> None:
        self.seen: dict[str, looks.Seen] = {}
        self._store = store
        self._features = features

    def add(self, images: list[str], features: np.ndarray) -> None:
        """A shard of each."""
        if self._features is not None:
            self._features.add(images, features)
        looks.add(self._store, images, features, [self.seen.pop(name) for name in images])
