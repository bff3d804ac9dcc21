"""What is kept of a picture to find its copies by: two descriptors, and what it shows in grey."""

import os
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from threadpoolctl import threadpool_limits

from storage.errors import MEND, StorageDamaged
from storage.shards import NAME, ShardStore
from storage.workspace import Workspace
from tasks.clean.copies import descriptors
from tasks.clean.copies.descriptors import DIMENSIONS
from tasks.clean.copies.trimming import content_box
from tasks.pictures.opencv import cv2
from tasks.pictures.parameters import Square
from tasks.pictures.resizing import GREY, rounded
from tasks.running import code_fingerprint

# The square that pictures are seen as, here and by EfficientNetLite0.
SEEN = Square(224)
SIDE = 128
COLOUR_SIDE = 16
OF_MAPS, OF_PICTURE, SHOWN, COLOURS, BOX = "of_maps", "of_picture", "shown", "colours", "box"
COLUMNS = {
    OF_MAPS: DIMENSIONS,
    OF_PICTURE: DIMENSIONS,
    SHOWN: SIDE * SIDE,
    COLOURS: COLOUR_SIDE * COLOUR_SIDE * 3,
    BOX: 4,
}
DTYPES = {BOX: np.float32}


class Seen(NamedTuple):
    """What a picture shows without bars and frames, and the box that they leave of it.

    `grey` is (SIDE, SIDE) and `colours` (COLOUR_SIDE, COLOUR_SIDE, 3) uint8; `box` top, bottom,
    left and right as float32 shares of the sides.
    """

    grey: np.ndarray
    colours: np.ndarray
    box: np.ndarray


def store_of(workspace: Workspace) -> ShardStore:
    """The shards of looks that this code makes."""
    return ShardStore(workspace.facts / f"looks-{code_fingerprint.fingerprint(__name__)}")


def seen(pixels: np.ndarray) -> Seen:
    """Of (side, side, 3) RGB in [0, 255]."""
    grey = pixels @ np.array(GREY, np.float32)
    top, bottom, left, right = box = content_box(grey)
    content = slice(top, bottom), slice(left, right)
    return Seen(
        _small(grey[content], SIDE),
        _small(pixels[content], COLOUR_SIDE),
        np.array(box, np.float32) / len(grey),
    )


def _small(pixels: np.ndarray, side: int) -> np.ndarray:
    return rounded(cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA))


def add(store: ShardStore, names: list[str], maps: np.ndarray, pictures: list[Seen]) -> None:
    """A shard of looks: EfficientNetLite0's last `maps` of pictures, and what each shows."""
    greys = np.stack([one.grey for one in pictures])
    # How many threads add up decides the last bits, and workers have fewer.
    with threadpool_limits(1):
        of_maps, of_picture = descriptors.of_maps(maps), descriptors.of_pictures(greys)
    values = {
        OF_MAPS: of_maps,
        OF_PICTURE: of_picture,
        SHOWN: greys,
        COLOURS: np.stack([one.colours for one in pictures]),
        BOX: np.stack([one.box for one in pictures]),
    }
    lists = {
        name: pa.FixedSizeListArray.from_arrays(pa.array(values[name].ravel()), width)
        for name, width in COLUMNS.items()
    }
    store.add(pa.table({NAME: names, **lists}))


class Looks:
    """The looks of some pictures, in their order."""

    def __init__(self, store: ShardStore, names: list[str]) -> None:
        """StorageDamaged if one is missing."""
        index = store.index()
        lost = [name for name in names if name not in index]
        if lost:
            raise StorageDamaged(f"what clean saw of {lost[0]} is gone from {store.folder}: {MEND}")
        self._store = store
        self._places = [index[name] for name in names]
        self._begins: dict[tuple[Path, str], int] = {}

    def __len__(self) -> int:
        return len(self._places)

    def column(self, name: str) -> np.ndarray:
        """(n, DIMENSIONS) int8 descriptors, or (n, 4) boxes."""
        rows: dict[Path, list[tuple[int, int]]] = defaultdict(list)
        for place, (path, row) in enumerate(self._places):
            rows[path].append((place, row))
        found = np.empty((len(self), COLUMNS[name]), DTYPES.get(name, np.int8))
        for path, both in rows.items():
            places, there = np.array(both).T
            found[places] = _column(self._store, path, name)[there]
        return found

    def shown(self, place: int) -> np.ndarray:
        """(SIDE, SIDE) uint8 of one picture."""
        return self._read(place, SHOWN).reshape(SIDE, SIDE)

    def colours(self, place: int) -> np.ndarray:
        """(COLOUR_SIDE, COLOUR_SIDE, 3) uint8 of one picture."""
        return self._read(place, COLOURS).reshape(COLOUR_SIDE, COLOUR_SIDE, 3)

    def _read(self, place: int, column: str) -> np.ndarray:
        """One row of bytes; read, not mapped: all that is mapped counts as memory."""
        path, row = self._places[place]
        width, key = COLUMNS[column], (path, column)
        try:
            if key not in self._begins:
                self._begins[key] = self._store.place(path, column)
            with path.open("rb", buffering=0) as file:
                found = os.pread(file.fileno(), width, self._begins[key] + row * width)
        except (OSError, pa.ArrowException) as error:
            raise _damaged(path) from error
        if len(found) < width:
            raise _damaged(path)
        return np.frombuffer(found, np.uint8)


def _damaged(path: Path) -> StorageDamaged:
    return StorageDamaged(f"the shard {path} is damaged: {MEND}")


def _column(store: ShardStore, path: Path, name: str) -> np.ndarray:
    """(rows, width), mapped."""
    batch = store.open(path)
    if batch is None:
        raise _damaged(path)
    values = batch.column(batch.schema.get_field_index(name)).values
    found: np.ndarray = values.to_numpy(zero_copy_only=True).reshape(batch.num_rows, -1)
    return found
