"""Looking at pictures for the first time: EfficientNetLite0's features, and what clean keeps."""

import math
import os
from collections.abc import Callable, Iterable
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from storage.features import FeatureStore, FeatureTable
from storage.images import ImageStore
from storage.shards import ShardStore
from storage.workspace import Workspace
from tasks.clean.copies import looks
from tasks.clean.parameters import Looking
from tasks.features.backbone import Backbone
from tasks.features.extractor import PICTURES_PER_SHARD, extract
from tasks.features.prepared import Prepared
from tasks.pictures import native_messages, resizing
from tasks.running import counters
from tasks.running.engine.mapping import mapped
from tasks.running.engine.parameters import HERE, Engine
from tasks.running.progress import Advance

PICTURES_AT_A_TIME = 16
Load = Callable[[str], np.ndarray]


def missing(workspace: Workspace, names: list[str]) -> list[str]:
    """The images that were not looked at yet, by this code."""
    known = looks.store_of(workspace).knowing(names)
    return [name for name in names if name not in known]


def look_at(
    workspace: Workspace,
    names: list[str],
    looking: Looking,
    advance: Advance,
    engine: Engine = HERE,
) -> str:
    """Looks of images that have none; a remark on what computed them, or "".

    Features that are stored are not computed again; new ones are stored if a later step wants them.
    """
    job = LookingJob(looking)
    new = FeatureStore(workspace, job.prepared.space).missing(names)
    mapped(engine, job, new, advance)
    stored = sorted(set(names) - set(new))
    if stored:
        known = LookingJob(looking, stored=True)
        known.prepared = job.prepared
        mapped(engine, known, stored, advance)
    counters.count("looked_at", len(names))
    if looking.keep:
        counters.count("extracted", len(new))
    return job.prepared.remark


class LookingJob:
    """Looks of pictures, and the features that they need anyway, for whoever does it.

    Those whose features are `stored` need no network.
    """

    unit = PICTURES_PER_SHARD

    def __init__(self, looking: Looking, *, stored: bool = False) -> None:
        self.threads = os.cpu_count() or 1
        self._looking = looking
        self._stored = stored

    def __reduce__(self) -> tuple[Any, ...]:
        # A network stays with the process that made it.
        return partial(LookingJob, self._looking, stored=self._stored), ()

    @cached_property
    def prepared(self) -> Prepared:
        """What computes the features."""
        return Backbone.told(self._looking.network).prepare(self.threads)

    @property
    def folders(self) -> Iterable[Path]:
        """Those of looks, and of features if they are kept."""
        workspace = Workspace.current()
        yield looks.store_of(workspace).folder
        if self._looking.keep and not self._stored:
            yield FeatureStore(workspace, self.prepared.space).folder

    def work(self, names: list[str], advance: Advance) -> int:
        """Looks of these pictures, and their features if they are kept, computed and stored."""
        workspace = Workspace.current()
        features = FeatureStore(workspace, self.prepared.space)
        keeping = _Keeping(
            looks.store_of(workspace), features if self._looking.keep and not self._stored else None
        )
        maps = _stored_maps(features, names) if self._stored else None
        images = ImageStore(workspace.images)

        def load(name: str) -> np.ndarray:
            shown = resizing.load(images, name, looks.SEEN)
            keeping.seen[name] = looks.seen(shown)
            return shown if maps is None else maps(name)

        prepared = Prepared(self.prepared.space) if self._stored else self.prepared
        with native_messages.quiet():
            return extract(
                names, load, prepared, keeping,
                batch_size=PICTURES_AT_A_TIME, workers=self.threads, advance=advance,
            )  # fmt: skip


def _stored_maps(features: FeatureStore, names: list[str]) -> Load:
    """A function from a name to its features, as they are stored."""
    shape = features.space.shape
    features.missing(names)  # on another machine: brings what is missed
    table = FeatureTable(features.shards, names, math.prod(shape))
    places = {name: place for place, name in enumerate(names)}
    return lambda name: table.rows(np.array([places[name]])).reshape(shape)


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
