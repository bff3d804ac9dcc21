"""The work of `extract` on any of its names, for whoever does it: a network once, then features."""

import os
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

from storage.features import FeatureStore
from storage.images import ImageStore
from storage.workspace import Workspace
from tasks.extract.parameters import Drawing
from tasks.features.backbone import Backbone
from tasks.features.extractor import PICTURES_PER_SHARD
from tasks.features.extractor import extract as extract_missing
from tasks.features.parameters import Extraction
from tasks.features.picture_cache import loader
from tasks.features.pixels import Pixels
from tasks.features.prepared import Prepared
from tasks.pictures import native_messages
from tasks.pictures.parameters import Square
from tasks.running.progress import Advance

# A batch has as many pixels as this many pictures of 128 pixels on a side: of tiny pictures so few
# would leave the processor waiting for the next batch.
PICTURES_AT_A_TIME, MOST_AT_A_TIME = 16, 256


class ExtractionJob:
    """Features of views by one network, or pixels, into the shards of their space."""

    def __init__(self, model: Extraction, training: Drawing | None) -> None:
        self.threads = os.cpu_count() or 1
        self._model = model
        self._training = training

    def __reduce__(self) -> tuple[Any, ...]:
        # A network stays with the process that made it.
        return type(self), (self._model, self._training)

    @cached_property
    def prepared(self) -> Prepared:
        """What computes the features."""
        return prepared_for(self._model, self.threads)

    @cached_property
    def store(self) -> FeatureStore:
        """Where they go."""
        return FeatureStore(Workspace.current(), self.prepared.space)

    @property
    def unit(self) -> int:
        """As many as one shard holds: whole batches."""
        size = batch_size(self._model.image_size)
        return -(-PICTURES_PER_SHARD // size) * size

    @property
    def folders(self) -> Iterable[Path]:
        """The space's folder."""
        return [self.store.folder]

    def work(self, names: list[str], advance: Advance) -> int:
        """Features of these views, computed and stored."""
        square = Square(self._model.image_size, self._model.resize)
        changes = None if self._training is None else self._training.augmentation
        images = ImageStore(Workspace.current().images)
        load = loader(images, square, changes, held=2 * self.threads)
        with native_messages.quiet():
            return extract_missing(
                names, load, self.prepared, self.store,
                batch_size=batch_size(self._model.image_size), workers=self.threads,
                advance=advance,
            )  # fmt: skip


def batch_size(side: int) -> int:
    """How many pictures of this side, in pixels, go through a network together."""
    same = PICTURES_AT_A_TIME * 128**2 // side**2
    return min(MOST_AT_A_TIME, max(PICTURES_AT_A_TIME, same))


def prepared_for(model: Extraction, threads: int) -> Prepared:
    """What computes the features: a pretrained network, or nothing but resizing."""
    if model.backbone is None:
        return Pixels(model.image_size, model.channels, model.resize).prepare()
    return Backbone.told(model, model.weights).prepare(threads)
