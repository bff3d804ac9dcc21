"""What is seen of a training while it runs: bars or Prefect's progress, and TensorBoard's logs."""

from pathlib import Path
from typing import Any

from tasks.progress import Advance
from tasks.tensorflow import load_keras


def callbacks(epoch_done: Advance, batch_done: Advance, logs: Path | None) -> tuple[Any, ...]:
    """Keras callbacks that report every batch and epoch and, with `logs`, write for TensorBoard."""
    keras = load_keras()
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: batch_done(1),
        on_epoch_end=lambda epoch, logs: epoch_done(1),
    )
    if logs is None:
        return (watch,)
    return watch, keras.callbacks.TensorBoard(log_dir=str(logs), write_graph=False)
