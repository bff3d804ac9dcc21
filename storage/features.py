"""Feature vectors on disk, by feature space: float16, or uint8 where they are pixels."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from storage import atomic, digests, elsewhere, folders
from storage.errors import MEND, StorageDamaged
from storage.references import FeaturesRef
from storage.shards import NAME, ShardStore
from storage.workspace import Workspace

# Raised when features are stored in another way: what was stored before is made anew.
FORMAT = 1

VALUES = "features"
SPACE = "space.json"
TENSORFLOW = "tensorflow"
PIXELS = "pixels"  # the backbone of a space that holds the pictures themselves


class FeatureSpace(BaseModel):
    """Everything that fixes a feature vector's value; `parts` are the spaces that it joins."""

    model_config = ConfigDict(frozen=True)

    backbone: str
    weights: str
    layer: str
    image_size: int
    resizing: str
    preprocessing: str
    precision: str
    shape: tuple[int, ...]
    mode: str = ""
    code: str = ""
    runtime: str = TENSORFLOW
    resize: str = "squash"
    parts: tuple["FeatureSpace", ...] = ()

    @classmethod
    def load(cls, workspace: Workspace, reference: FeaturesRef) -> "FeatureSpace":
        """The space of these features, as it was written beside them."""
        path = workspace.features / reference.space / SPACE
        return cls.model_validate(folders.read_json(path))

    @property
    def name(self) -> str:
        """A folder name that a person can read, made unique by a digest."""
        digest = digests.of_value(self.model_dump(mode="json"))[:12]
        how = computed_in(self.model_dump()).replace(" ", "-")
        return f"{self.backbone}-{self.image_size}-{self.preprocessing}-{how}-{digest}"


def computed_in(space: Mapping[str, Any]) -> str:
    """A space's number format, with the runtime where it is not TensorFlow: `openvino bfloat16`."""
    runtime = space.get("runtime", TENSORFLOW)
    return f"{'' if runtime == TENSORFLOW else f'{runtime} '}{space['precision']}"


@dataclass(frozen=True)
class FeatureStore:
    """The shards of one feature space: arrays beside the names of images and of their views."""

    workspace: Workspace
    space: FeatureSpace

    @property
    def folder(self) -> Path:
        """Where this space's shards are."""
        return self.workspace.features / self.space.name

    @property
    def shards(self) -> ShardStore:
        """The shards themselves."""
        return ShardStore(self.folder)

    def missing(self, images: list[str]) -> list[str]:
        """The images, each once and in order, whose features are in no whole shard."""
        known = self.shards.knowing(images)
        return [name for name in dict.fromkeys(images) if name not in known]

    def add(self, images: list[str], features: np.ndarray) -> Path:
        """A new shard: `features` is (len(images), *shape); kept as uint8 or else as float16."""
        kind = np.uint8 if features.dtype == np.uint8 else np.float16
        flat = np.ascontiguousarray(features, dtype=kind).reshape(len(images), -1)
        column = pa.FixedSizeListArray.from_arrays(pa.array(flat.ravel()), flat.shape[1])
        return self.shards.add(pa.table({NAME: images, VALUES: column}))

    def reference(
        self,
        images: list[str],
        *,
        views: tuple[str, ...] = ("",),
        averaged: tuple[str, ...] = ("",),
    ) -> FeaturesRef:
        """The reference to the features of these images and views, in this order.

        Its digest is that of the space and the images; the list of shards beside it only says
        where the values are now. StorageDamaged if a feature is missing.
        """
        known = self.shards.index()
        lost = [name for name in images if name not in known]
        if lost:
            raise StorageDamaged(
                f"expected features of {len(images)} images in {self.folder}, {len(lost)} are "
                f"missing: {MEND}"
            )
        digest = digests.of_value([self.space.name, images, views, averaged])
        used = sorted({known[name][0] for name in images})
        path = self.folder / "sets" / f"{digest}.json"
        # Which images, the digest says; a hundred thousand names would be read for every look.
        shards = {shard.name: shard.stat().st_size for shard in used}
        atomic.write_json(path, {"images": len(images), "shards": shards})
        atomic.write_json(self.folder / SPACE, self.space.model_dump(mode="json"))
        return FeaturesRef(
            digest=digest,
            where=self.workspace.relative(path),
            bytes=path.stat().st_size,
            space=self.space.name,
            shape=self.space.shape,
            images=len(images),
            views=views,
            averaged=averaged,
        )


@dataclass(frozen=True)
class FeatureTable:
    """Features of a list of images, mapped from their shards; rows are read when asked for."""

    store: ShardStore
    images: list[str]
    width: int
    _open: dict[Path, "np.ndarray"] = field(default_factory=dict)

    @classmethod
    def of(cls, workspace: Workspace, reference: FeaturesRef, images: list[str]) -> "FeatureTable":
        """The features of `images`, a part of what `reference` stands for."""
        width = 1
        for size in reference.shape:
            width *= size
        store = ShardStore(workspace.features / reference.space)
        if elsewhere.remote(workspace) is not None:
            listed = folders.read_json(workspace.path(reference))["shards"]
            elsewhere.fetch_all(store.folder / name for name in listed)
        return cls(store, images, width)

    @cached_property
    def _index(self) -> dict[str, tuple[Path, int]]:
        return self.store.index()

    @cached_property
    def kind(self) -> np.dtype:
        """The type of the values, float16 or uint8."""
        if not self.images:
            return np.dtype(np.float16)
        return self._values(self._place(self.images[0])[0]).dtype

    @property
    def bytes(self) -> int:
        """What the whole table would take in memory."""
        return len(self.images) * self.width * self.kind.itemsize

    def rows(self, positions: np.ndarray) -> np.ndarray:
        """(len(positions), width): the features at these positions of `images`."""
        out = np.empty((len(positions), self.width), self.kind)
        for row, position in enumerate(positions):
            path, place = self._place(self.images[position])
            out[row] = self._values(path)[place]
        return out

    def _place(self, image: str) -> tuple[Path, int]:
        try:
            return self._index[image]
        except KeyError:
            raise StorageDamaged(
                f"the features of {image} are gone from {self.store.folder}: {MEND}"
            ) from None

    def _values(self, path: Path) -> np.ndarray:
        if path not in self._open:
            self._open[path] = shard_values(self.store, path)
        return self._open[path]


def shard_values(store: ShardStore, path: Path) -> np.ndarray:
    """(rows, width) view of a shard's features, mapped from disk."""
    batch = store.open(path)
    if batch is None:
        raise StorageDamaged(f"the shard {path} is damaged: {MEND}")
    column = batch.column(batch.schema.get_field_index(VALUES))
    return column.values.to_numpy(zero_copy_only=True).reshape(batch.num_rows, -1)
