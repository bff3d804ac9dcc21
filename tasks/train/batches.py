"""Batches for Keras: the same ones whether the features fit in memory or not, whatever ran before.

A tf.data pipeline gathers and augments ahead while Keras trains on the batch before.
"""

import contextlib
import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from storage.features import FeatureTable
from tasks.pictures.augmentation import maps
from tasks.pictures.parameters import Augmentation
from tasks.running.tensorflow import load_tensorflow
from tasks.train.keras_parts.augmentation_layer import warping

SHARE_OF_MEMORY = 0.4
BATCHES_AHEAD = 4
MEMORY = "/proc/meminfo"
# A container's limit in bytes, what of it is used, and by what, for control groups 2 and 1.
CONTAINER_MEMORY = (
    (
        "/sys/fs/cgroup/memory.max",
        "/sys/fs/cgroup/memory.current",
        "/sys/fs/cgroup/memory.stat",
    ),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
        "/sys/fs/cgroup/memory/memory.stat",
    ),
)


class Labelled(NamedTuple):
    """Rows of features by position, and the number of each picture's class.

    With several views the rows of all pictures' first view come first, then those of the second …
    `groups` are numbers of what belongs together, where that is known.
    """

    rows: Any
    labels: np.ndarray
    views: int = 1
    groups: np.ndarray | None = None


def memory_bytes() -> int:
    """Memory that is free for use now, within a container's limit as well.

    4 GiB where the system does not say.
    """
    return min([_free_in_machine(), *_left_in_container()])


def _free_in_machine() -> int:
    try:
        return _table(MEMORY)["MemAvailable:"] * 1024
    except (OSError, ValueError, LookupError):  # no Linux
        return 4 * 2**30


def _left_in_container() -> Iterator[int]:
    for limit, used, details in CONTAINER_MEMORY:
        with contextlib.suppress(OSError, ValueError):  # not there, or the word "max"
            left = int(Path(limit).read_text()) - int(Path(used).read_text())
            # Files that were read lately count as used, and make room when it is wanted.
            with contextlib.suppress(OSError, ValueError, LookupError):
                left += _table(details)["inactive_file"]
            yield max(0, left)


def _table(path: str | Path) -> dict[str, int]:
    """A file of the kernel's with a name and a number in each line."""
    lines = (line.split() for line in Path(path).read_text().splitlines())
    return {words[0]: int(words[1]) for words in lines}


def fits(size_bytes: int, limit_bytes: float | None = None) -> bool:
    """Whether so much may be held in memory."""
    limit = SHARE_OF_MEMORY * memory_bytes() if limit_bytes is None else limit_bytes
    return size_bytes <= limit


def rows_of(table: FeatureTable, limit_bytes: float | None = None) -> "Any":
    """A function from positions to (n, width) rows, held in memory if they fit."""
    if not fits(table.bytes, limit_bytes):
        return table.rows
    held = table.rows(np.arange(len(table.images)))
    return lambda positions: held[positions]


def steps_of(count: int, batch_size: int, steps_per_epoch: int | None = None) -> int:
    """Batches in an epoch: enough for every picture once, unless said otherwise."""
    return steps_per_epoch or -(-count // batch_size)


def shuffled(
    data: Labelled,
    shape: tuple[int, ...],
    *,
    batch_size: int,
    seed: int,
    first_batch: int = 0,
    augmentation: Augmentation | None = None,
    balanced: bool = False,
) -> Any:
    """An endless tf.data.Dataset of (features, labels), beginning with batch `first_batch`.

    Every pass over the pictures is shuffled, in views and changes drawn by (seed, pass) alone: a
    resumed training sees what it would have seen. A `balanced` pass is as long, and every class
    has the same share of it.
    """
    tf = load_tensorflow()
    parts = _kinds(data, shape)
    if augmentation is not None:
        parts = (*parts, tf.TensorSpec((None, 2, 3), tf.float32))
    batches = tf.data.Dataset.from_generator(
        lambda: _drawn(data, shape, batch_size, seed, first_batch, augmentation, balanced=balanced),
        output_signature=parts,
    )
    if augmentation is not None:
        warp = warping(augmentation.fill_mode)
        batches = batches.map(
            lambda features, labels, how: (warp(features, how), labels),
            num_parallel_calls=os.cpu_count(),
            deterministic=True,
        )
    return _untuned(batches)


def ahead(batches: Any) -> Any:
    """The same dataset; a few batches are made before they are asked for. Called last of all."""
    return batches.prefetch(BATCHES_AHEAD)


def _kinds(data: Labelled, shape: tuple[int, ...]) -> tuple[Any, ...]:
    tf = load_tensorflow()
    sample = data.rows(np.arange(min(1, len(data.labels))))
    return (
        tf.TensorSpec((None, *shape), tf.as_dtype(sample.dtype)),
        tf.TensorSpec((None,), tf.int64),
    )


def _drawn(
    data: Labelled,
    shape: tuple[int, ...],
    batch_size: int,
    seed: int,
    first_batch: int,
    augmentation: Augmentation | None,
    *,
    balanced: bool,
) -> Iterator[tuple[np.ndarray, ...]]:
    count = len(data.labels)
    per_pass = steps_of(count, batch_size)
    first_pass, skipped = divmod(first_batch, per_pass)
    for number in itertools.count(first_pass):
        order, positions, how = _pass(data, shape, (seed, number), augmentation, balanced=balanced)
        for start in range(skipped * batch_size, count, batch_size):
            chosen = slice(start, start + batch_size)
            features = data.rows(positions[chosen]).reshape(-1, *shape)
            batch = (features, data.labels[order[chosen]])
            yield batch if how is None else (*batch, how[chosen])
        skipped = 0


def _pass(
    data: Labelled,
    shape: tuple[int, ...],
    seeds: tuple[int, int],
    augmentation: Augmentation | None,
    *,
    balanced: bool,
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """One pass: the order of the pictures, the rows of the views drawn, how to change them."""
    count = len(data.labels)
    generator = np.random.default_rng(seeds)
    order = _balanced(data.labels, generator) if balanced else generator.permutation(count)
    views = generator.integers(0, data.views, count) if data.views > 1 else 0
    how = None if augmentation is None else maps(augmentation, count, shape[0], generator)
    return order, views * count + order, how


def _balanced(labels: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """As many positions as labels, of every class as many as of the others, or one more.

    Those of one class come round in turn: none a third time before all were there twice.
    """
    by_class = [np.flatnonzero(labels == number) for number in np.unique(labels)]
    wanted = len(labels) // len(by_class)
    more = generator.permutation(len(by_class)) < len(labels) % len(by_class)
    drawn = []
    for places, one_more in zip(by_class, more, strict=True):
        rounds = -(-(wanted + 1) // len(places))
        turns = [generator.permutation(places) for _ in range(rounds)]
        drawn.append(np.concatenate(turns)[: wanted + int(one_more)])
    return generator.permutation(np.concatenate(drawn))


def in_order(data: Labelled, shape: tuple[int, ...], *, batch_size: int) -> Any:
    """A tf.data.Dataset of (features, labels), every picture once in its first view, in order."""

    def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for start in range(0, len(data.labels), batch_size):
            positions = np.arange(start, min(start + batch_size, len(data.labels)))
            yield data.rows(positions).reshape(-1, *shape), data.labels[positions]

    tf = load_tensorflow()
    dataset = tf.data.Dataset.from_generator(batches, output_signature=_kinds(data, shape))
    count = steps_of(len(data.labels), batch_size)
    return _untuned(dataset.apply(tf.data.experimental.assert_cardinality(count)))


def _untuned(batches: Any) -> Any:
    """The same dataset without autotuning, which has nothing to choose here.

    Its thread sleeps for twice as long each time and the end of an iterator waits for it, up to a
    minute (TensorFlow 2.21).
    """
    options = load_tensorflow().data.Options()
    options.autotune.enabled = False
    return batches.with_options(options)
