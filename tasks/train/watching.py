"""What is seen of a training while it runs: bars or Prefect's progress, and TensorBoard's logs."""

import importlib.util
from pathlib import Path
from typing import Any

from storage.errors import MissingLibrary
from tasks.progress import Advance
from tasks.tensorflow import load_keras


def require_tensorboard() -> None:
    """MissingLibrary where TensorBoard's logs cannot be written."""
    if importlib.util.find_spec("tensorboard") is None:
        raise MissingLibrary(
            "training.tensorboard needs the library tensorboard, found none: pip install "
            "tensorboard, or set training.tensorboard=false"
        )


class Count:
    """Epochs and batches of one training, handed on to whoever shows them."""

    def __init__(self, epoch_done: Advance, batch_done: Advance) -> None:
        self.epochs = 0
        self.batch_done = batch_done
        self._epoch_done = epoch_done

    def epoch(self, count: int = 1) -> None:
        """So many epochs more are done."""
        self.epochs += count
        self._epoch_done(count)

    def complete(self, epochs: int) -> None:
        """The training is over, however few of its `epochs` have been counted."""
        if epochs > self.epochs:
            self.epoch(epochs - self.epochs)


def callbacks(count: Count, logs: Path | None) -> tuple[Any, ...]:
    """Keras callbacks that count every batch and epoch and, with `logs`, write for TensorBoard."""
    keras = load_keras()
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: count.batch_done(1),
        on_epoch_end=lambda epoch, logs: count.epoch(),
    )
    if logs is None:
        return (watch,)
    return watch, keras.callbacks.TensorBoard(log_dir=str(logs), write_graph=False)
