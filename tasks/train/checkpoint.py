"""What a killed training needs to go on: model and optimiser, the history, the best yet."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage import atomic, folders
from tasks.tensorflow import load_keras

if TYPE_CHECKING:
    import numpy as np

MODEL = "model.keras"
BEST = "best.npz"
HISTORY = "history.json"
SECONDS_BETWEEN = 10.0


def checkpointing(
    folder: Path,
    seconds_between: float,
    history: list[dict[str, float]],
    best_weights: Any,
    patience: int | None,
) -> Any:
    """A Keras callback that keeps the best weights and saves the whole state now and then.

    `history` holds one row per epoch already done; the callback appends to it. The state is saved
    at the end of an epoch when the last save is `seconds_between` ago. Training stops when the
    watched loss has not improved for `patience` epochs, those before a kill included.
    """
    keras = load_keras()

    class Checkpointing(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        """Best by validation loss, or by training loss where nothing is held out."""

        def __init__(self) -> None:
            super().__init__()
            self.saved_at = time.monotonic()
            self.best_loss = min((watched(row) for row in history), default=float("inf"))
            self.best_weights = best_weights

        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            row = {
                "epoch": epoch + 1,
                **{name: float(value) for name, value in (logs or {}).items()},
            }
            history.append(row)
            if watched(row) < self.best_loss:
                self.best_loss, self.best_weights = watched(row), self.model.get_weights()
            if time.monotonic() - self.saved_at >= seconds_between:
                save(folder, self.model, self.best_weights, history)
                self.saved_at = time.monotonic()
            if patience and epochs_since_best(history) >= patience:
                self.model.stop_training = True

    return Checkpointing()


def watched(row: dict[str, float]) -> float:
    """The loss that decides which epoch was best."""
    return row.get("val_loss", row["loss"])


def epochs_since_best(history: list[dict[str, float]]) -> int:
    """How many epochs have passed since the lowest watched loss."""
    losses = [watched(row) for row in history]
    return len(losses) - 1 - losses.index(min(losses))


def save(
    folder: Path,
    model: Any,
    best_weights: list["np.ndarray"],
    history: list[dict[str, float]],
) -> None:
    """Write the state as one folder, at once or not at all."""
    with atomic.new_folder(folder) as new:
        model.save(new / MODEL)
        _save_arrays(new / BEST, best_weights)
        (new / HISTORY).write_text(json.dumps(history))
        folders.seal(new)


def _save_arrays(path: Path, arrays: list["np.ndarray"]) -> None:
    import numpy as np

    named = {f"{number:04d}": array for number, array in enumerate(arrays)}
    np.savez(path, allow_pickle=False, **named)


def _load_arrays(path: Path) -> list["np.ndarray"]:
    import numpy as np

    with np.load(path, allow_pickle=False) as saved:
        return [saved[name] for name in sorted(saved.files)]


def load(folder: Path) -> tuple[Any, Any, list[dict[str, float]]] | None:
    """(model with its optimiser, best weights, history) of the last save; None without one."""
    if not folders.is_sealed(folder):
        return None
    model = load_keras().saving.load_model(folder / MODEL)
    return model, _load_arrays(folder / BEST), folders.read_json(folder / HISTORY)
