"""Pictures through a backbone, decoding ahead of the computation or beside it."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np

from tasks.features.prepared import Prepared
from tasks.running.progress import Advance

# 256 pictures are two seconds of work with bf16 and fifteen without: what a crash may cost.
PICTURES_PER_SHARD = 256
BATCHES_AHEAD = 3


class Store(Protocol):
    """Where features go."""

    def add(self, images: list[str], features: np.ndarray) -> Any:
        """Keep them, (len(images), …)."""


def extract(
    names: list[str],
    load: Callable[[str], np.ndarray],
    prepared: Prepared,
    store: Store,
    *,
    batch_size: int,
    workers: int,
    advance: Advance,
) -> int:
    """Features of `names` into new shards of `store`; how many were computed.

    `load` gives one picture's pixels; `workers` threads load pictures, and compute with those where
    what is `prepared` takes pictures one by one. Memory holds a shard's features and a few batches,
    however many names there are.
    """
    held: list[np.ndarray] = []
    done = 0
    for start, batch in _batches(names, lambda one: prepared.each(load(one)), batch_size, workers):
        held.append(prepared.batch(batch))
        advance(len(batch))
        if (count := start + len(batch) - done) >= PICTURES_PER_SHARD or done + count == len(names):
            _store(store, names[done : done + count], held)
            done += count
            held = []
    return done


def _store(store: Store, names: list[str], held: list[np.ndarray]) -> None:
    store.add(names, np.concatenate(held))


def _batches(
    names: list[str], load: Callable[[str], np.ndarray], size: int, workers: int
) -> Iterator[tuple[int, np.ndarray]]:
    """(start, what `load` gives of so many names) in order; at most BATCHES_AHEAD are ahead."""
    with ThreadPoolExecutor(max_workers=workers) as pool:
        ahead: deque[tuple[int, list[Future[np.ndarray]]]] = deque()
        for start in range(0, len(names), size):
            ahead.append((start, [pool.submit(load, name) for name in names[start : start + size]]))
            if len(ahead) > BATCHES_AHEAD:
                first, futures = ahead.popleft()
                yield first, np.stack([future.result() for future in futures])
        for first, futures in ahead:
            yield first, np.stack([future.result() for future in futures])
