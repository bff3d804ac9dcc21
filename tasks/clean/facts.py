"""What a picture is, computed once per picture and kept in shards: size, format, likeness."""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from storage.images import ImageStore
from storage.shards import NAME, ShardStore
from storage.statuses import Status
from storage.workspace import Workspace
from tasks.clean.duplicate_groups import details
from tasks.pictures import exif, native_messages
from tasks.pictures.decoding import NO_END_MARK, Problem, decode_fully
from tasks.pictures.light import Light, light_of
from tasks.pictures.opencv import cv2
from tasks.running import code_fingerprint
from tasks.running.progress import Advance

THUMBNAIL_SIDE = 16
HASH_SIDE = 8
# Each number that hashes and thumbnails are made of stands for 64 pixels at the least.
ENOUGH = 256
PICTURES_PER_SHARD = 2000
# Decoded at once: if a decoder prints something of one of them, each is decoded again, alone.
PICTURES_PER_MESSAGE = 64
# A wave of half a grey level in the cosine transform: what is weaker is rounding, its sign chance.
FAINT = 8.0
# Fewer frequencies than these are no picture: noise has some that are strong by chance.
FEWEST_STRONG = 10
NO_LIGHT = Light(0.0, 0.0, 0.0, 0.0, 0.0)


def store_of(workspace: Workspace, max_pixels: int) -> ShardStore:
    """The shards of facts that this code and this limit give."""
    return ShardStore(workspace.facts / f"{code_fingerprint.fingerprint(__name__)}-{max_pixels}")


def facts_of(data: bytes, max_pixels: int) -> dict[str, Any]:
    """Facts of one picture: status, reason, format, width, height, two hashes, thumbnail, light.

    Also when (`taken`) and with which `camera` it was taken, as EXIF has it, and a `remark` on how
    it was read.
    """
    found = decode_fully(data, max_pixels, enough=ENOUGH)
    if isinstance(found, Problem):
        return _facts(found.status, found.reason)
    pixels, header = found.pixels, found.header
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    about = exif.taken(header.exif)
    return _facts(
        Status.KEPT,
        "",
        header.format,
        found.size,
        perceptual_hashes(grey),
        thumbnail(pixels).tobytes(),
        light_of(pixels),
    ) | {"taken": about.time, "camera": about.camera, "remark": "; ".join(found.remarks)}


def _facts(
    status: Status,
    reason: str,
    kind: str = "",
    shape: tuple[int, ...] = (0, 0),
    hashes: tuple[int, int] = (0, 0),
    small: bytes = b"",
    light: Light = NO_LIGHT,
) -> dict[str, Any]:
    return {
        "status": str(status),
        "reason": reason,
        "format": kind,
        "width": shape[1],
        "height": shape[0],
        "hash": f"{hashes[0]:016x}",
        "bold_hash": f"{hashes[1]:016x}",
        "thumbnail": small,
        "taken": "",
        "camera": "",
        "remark": "",
        **light._asdict(),
    }


def perceptual_hashes(grey: np.ndarray) -> tuple[int, int]:
    """Twice 64 bits: which low frequencies of the cosine transform lie above their median.

    The first is the "pHash" of Zauner, Implementation and Benchmarking of Perceptual Image Hash
    Functions (2010), section 3.2.1. Half of the frequencies of a symmetric drawing are absent, and
    so is their median: those bits are chance. The second is of the picture without light and shade,
    and its FAINT frequencies count as absent. Where hardly any is left, as in a sky, it is the
    first: without its bits of chance the picture would be like thousands of others.
    """
    side = 4 * HASH_SIDE
    small = cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)
    first = _above_median(_low_frequencies(small))
    bold = _low_frequencies(details(small.reshape(1, -1)).reshape(small.shape))
    faint = np.abs(bold) < FAINT
    if np.count_nonzero(~faint) < FEWEST_STRONG:
        return first, first
    return first, _above_median(np.where(faint, 0, bold))


def _low_frequencies(small: np.ndarray) -> np.ndarray:
    return cv2.dct(small)[:HASH_SIDE, :HASH_SIDE]


def _above_median(low: np.ndarray) -> int:
    values = low.ravel()
    return int.from_bytes(np.packbits(values > np.median(values[1:])).tobytes(), "big")


def thumbnail(rgb: np.ndarray) -> np.ndarray:
    """(16, 16, 3) uint8: the picture squeezed to a square."""
    side = (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    return cv2.resize(rgb, side, interpolation=cv2.INTER_AREA)


def compute(
    images: ImageStore,
    store: ShardStore,
    names: list[str],
    *,
    max_pixels: int,
    advance: Advance,
    threads: int | None = None,
) -> None:
    """Facts of `names` into new shards; a killed run loses at most one shard's work."""
    for start in range(0, len(names), PICTURES_PER_SHARD):
        batch = names[start : start + PICTURES_PER_SHARD]
        rows = list(_computed(images, batch, max_pixels, advance, threads or os.cpu_count() or 1))
        columns = {key: [row[key] for row in rows] for key in rows[0]}
        store.add(pa.table({NAME: batch, **columns}))


class FactsJob:
    """The work of `clean` on any pictures, for whoever does it: their facts, into shards."""

    unit = PICTURES_PER_SHARD

    def __init__(self, max_pixels: int) -> None:
        self.threads = os.cpu_count() or 1
        self._max_pixels = max_pixels

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._max_pixels,)

    @property
    def folders(self) -> Iterable[Path]:
        """That of all facts by this code."""
        return [store_of(Workspace.current(), self._max_pixels).folder]

    def work(self, names: list[str], advance: Advance) -> int:
        """Facts of these pictures, computed and stored."""
        workspace = Workspace.current()
        compute(
            ImageStore(workspace.images), store_of(workspace, self._max_pixels), names,
            max_pixels=self._max_pixels, advance=advance, threads=self.threads,
        )  # fmt: skip
        return len(names)


def _computed(
    images: ImageStore, names: Iterable[str], max_pixels: int, advance: Advance, threads: int
) -> Iterator[dict[str, Any]]:
    # OpenCV lets go of the interpreter while it decodes, so threads use every core.
    read = partial(_read_facts, images, max_pixels)
    with native_messages.caught() as messages, ThreadPoolExecutor(threads) as pool:
        for some in _batched(names, PICTURES_PER_MESSAGE):
            found = list(pool.map(read, some))
            if messages.new():
                found = [
                    _with_message(one, read(name), messages)
                    for one, name in zip(found, some, strict=True)
                ]
            for facts in found:
                advance(1)
                yield facts


def _with_message(
    before: dict[str, Any], facts: dict[str, Any], messages: native_messages.Messages
) -> dict[str, Any]:
    """The facts of a picture that was read again, alone, with what its decoder printed."""
    said = dict.fromkeys(line[:200] for line in messages.new())
    if not said or NO_END_MARK in facts["remark"]:  # finding that out makes the decoder speak
        return before
    return facts | {"remark": "; ".join(filter(None, [facts["remark"], *said]))}


def _read_facts(images: ImageStore, max_pixels: int, name: str) -> dict[str, Any]:
    return facts_of(images.read(name), max_pixels)


def _batched(names: Iterable[str], size: int) -> Iterator[list[str]]:
    left = iter(names)
    while some := list(islice(left, size)):
        yield some


def load(store: ShardStore) -> pd.DataFrame:
    """All facts of the store, one row per image, indexed by image."""
    batches = [batch for path in store.paths() if (batch := store.open(path)) is not None]
    frames = [batch.to_pandas() for batch in batches]
    table = pd.concat(frames) if frames else pd.DataFrame(columns=[NAME, *_facts(Status.KEPT, "")])
    return table.drop_duplicates(NAME).set_index(NAME)
