"""What is seen of a training while it runs: bars or Prefect's progress, and TensorBoard's logs."""

import importlib.util
from pathlib import Path
from typing import Any

from storage.errors import MissingLibrary
from tasks.running.progress import Advance
from tasks.running.tensorflow import load_keras


def require_tensorboard() -> None:
    """MissingLibrary where TensorBoard's logs cannot be written."""
    if importlib.util.find_spec("tensorboard") is None:
        raise MissingLibrary(
            "training.tensorboard needs the library tensorboard, found none: pip install "
            "tensorboard, or set training.tensorboard=false"
        )


class Count:
    """Epochs of one training, all its stages, and their `steps` batches, for who shows them."""

    def __init__(self, epoch_done: Advance, batch_done: Advance, steps: int) -> None:
        self.epochs = 0
        self.batch_done = batch_done
        self._epoch_done = epoch_done
        self._steps = steps

    def epoch(self) -> None:
        """One epoch more is done, its batches are counted already."""
        self.epochs += 1
        self._epoch_done(1)

    def up_to(self, epochs: int) -> None:
        """So many epochs are over: an earlier run did them, or early stopping left them out."""
        for _ in range(self.epochs, epochs):
            self.batch_done(self._steps)
            self.epoch()


def callbacks(count: Count, logs: Path | None, before: int = 0) -> tuple[Any, ...]:
    """Keras callbacks that count every batch and epoch and, with `logs`, write for TensorBoard.

    `before` is how many epochs the stages before this one have.
    """
    keras = load_keras()
    watch = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: count.up_to(before + epoch),
        on_train_batch_end=lambda batch, logs: count.batch_done(1),
        on_epoch_end=lambda epoch, logs: count.epoch(),
    )
    if logs is None:
        return (watch,)
    return watch, keras.callbacks.TensorBoard(log_dir=str(logs), write_graph=False)
