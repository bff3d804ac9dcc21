"""Batches of features for Keras: the same ones whether the table fits in memory or not."""

import os
from typing import TYPE_CHECKING, Any

from storage.features import FeatureTable
from tasks.tensorflow import load_keras

if TYPE_CHECKING:
    import numpy as np

SHARE_OF_MEMORY = 0.4


def memory_bytes() -> int:
    """Physical memory that is free for use now; 4 GiB where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
    except (ValueError, OSError):
        return 4 * 2**30


def rows_of(table: FeatureTable, limit_bytes: int | None = None) -> "Any":
    """A function from positions to (n, width) float16 rows, held in memory if they fit."""
    import numpy as np

    limit = SHARE_OF_MEMORY * memory_bytes() if limit_bytes is None else limit_bytes
    if table.bytes > limit:
        return table.rows
    held = table.rows(np.arange(len(table.images)))
    return lambda positions: held[positions]


def dataset(
    rows: Any,
    labels: "np.ndarray",
    shape: tuple[int, ...],
    *,
    batch_size: int,
    seed: int,
    first_epoch: int = 0,
) -> Any:
    """A Keras dataset of (features, labels); epoch e is shuffled by (seed, e) alone."""
    import numpy as np

    keras = load_keras()

    class Batches(keras.utils.PyDataset):  # type: ignore[misc, name-defined]
        """Shuffled anew each epoch; a resumed training sees what it would have seen."""

        def __init__(self) -> None:
            super().__init__()
            self.epoch = first_epoch
            self._shuffle()

        def _shuffle(self) -> None:
            self.order = np.random.default_rng((seed, self.epoch)).permutation(len(labels))

        def __len__(self) -> int:
            return -(-len(labels) // batch_size)

        def __getitem__(self, index: int) -> "tuple[np.ndarray, np.ndarray]":
            positions = self.order[index * batch_size : (index + 1) * batch_size]
            return rows(positions).reshape(-1, *shape), labels[positions]

        def on_epoch_end(self) -> None:
            self.epoch += 1
            self._shuffle()

    return Batches()


def in_order(rows: Any, labels: "np.ndarray", shape: tuple[int, ...], *, batch_size: int) -> Any:
    """A Keras dataset of (features, labels) in the order of the table."""
    import numpy as np

    keras = load_keras()

    class Batches(keras.utils.PyDataset):  # type: ignore[misc, name-defined]
        """Every row once, never shuffled."""

        def __len__(self) -> int:
            return -(-len(labels) // batch_size)

        def __getitem__(self, index: int) -> "tuple[np.ndarray, np.ndarray]":
            positions = np.arange(index * batch_size, min((index + 1) * batch_size, len(labels)))
            return rows(positions).reshape(-1, *shape), labels[positions]

    return Batches()


def epoch_progress(advance: Any) -> Any:
    """A Keras callback that reports every epoch."""
    keras = load_keras()
    return keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: advance(1))
