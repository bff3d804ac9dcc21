"""What a killed training needs to go on: model and optimiser, the history, the best yet."""

import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np

from storage import folders
from storage.errors import StorageDamaged, TrainingDiverged
from tasks.running.tensorflow import load_keras
from tasks.train.keras_parts.fused_adam import fused_adam

MODEL = "model.keras"
BEST = "best.npz"
HISTORY = "history.json"
SECONDS_BETWEEN = 10.0

# Two folders take turns: the last state stays whole while the next one takes its place beside it.
STATES = ("state-0", "state-1")


def checkpointing(
    folder: Path,
    seconds_between: float,
    history: list[dict[str, float]],
    best_weights: Any,
    patience: int | None,
    remedy: str,
) -> Any:
    """A Keras callback that keeps the best weights and saves the whole state now and then.

    `history` holds one row per epoch already done; the callback appends to it. The state is saved
    at the end of an epoch when the last save is `seconds_between` ago, and at the end of the
    training. Training stops when the watched loss has not improved for `patience` epochs, those
    before a kill included. TrainingDiverged with `remedy`, and nothing saved, at a loss that is not
    finite.
    """
    keras = load_keras()

    class Checkpointing(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        """Best by validation loss, or by training loss where nothing is held out."""

        def __init__(self) -> None:
            super().__init__()
            self.saved_at, self.saved_epochs = time.monotonic(), len(history)
            self.best_loss = min((watched(row) for row in history), default=float("inf"))
            self.best_weights = best_weights

        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            row = {
                "epoch": epoch + 1,
                **{name: float(value) for name, value in (logs or {}).items()},
            }
            _require_finite(row, remedy)
            history.append(row)
            if watched(row) < self.best_loss:
                self.best_loss, self.best_weights = watched(row), self.model.get_weights()
            if time.monotonic() - self.saved_at >= seconds_between:
                self._save()
            if out_of_patience(history, patience):
                self.model.stop_training = True

        def on_train_end(self, _logs: Any = None) -> None:
            # Short repeats end before `seconds_between` has passed: each is worth keeping.
            if len(history) > self.saved_epochs:
                self._save()

        def _save(self) -> None:
            save(folder, self.model, self.best_weights, history)
            self.saved_at, self.saved_epochs = time.monotonic(), len(history)

    return Checkpointing()


def watched(row: dict[str, float]) -> float:
    """The loss that decides which epoch was best."""
    return row.get("val_loss", row["loss"])


def epochs_since_best(history: list[dict[str, float]]) -> int:
    """How many epochs have passed since the lowest watched loss."""
    losses = [watched(row) for row in history]
    return len(losses) - 1 - losses.index(min(losses))


def out_of_patience(history: list[dict[str, float]], patience: int | None) -> bool:
    """Whether the watched loss has not improved for `patience` epochs; never without patience."""
    return bool(patience and history) and epochs_since_best(history) >= (patience or 0)


def is_over(history: list[dict[str, float]], epochs: int, patience: int | None) -> bool:
    """Whether a training with this history has nothing left to do."""
    return len(history) >= epochs or out_of_patience(history, patience)


def _require_finite(row: dict[str, float], remedy: str) -> None:
    for name in ("loss", "val_loss"):
        found = row.get(name, 0.0)
        if not math.isfinite(found):
            raise TrainingDiverged(
                f"expected a finite {name} after epoch {row['epoch']:.0f}, found {found}: {remedy}"
            )


def save(
    folder: Path,
    model: Any,
    best_weights: list[np.ndarray],
    history: list[dict[str, float]],
) -> None:
    """Write the state as one folder in `folder`, at once or not at all, beside the one before."""
    before = newest(folder)
    target = next(folder / name for name in STATES if before is None or before.name != name)
    with folders.new_folder(target) as new:
        model.save(new / MODEL)
        _save_arrays(new / BEST, best_weights)
        (new / HISTORY).write_text(json.dumps(history))
        folders.seal(new)


def _save_arrays(path: Path, arrays: list[np.ndarray]) -> None:
    named = {f"{number:04d}": array for number, array in enumerate(arrays)}
    np.savez(path, allow_pickle=False, **named)


def _load_arrays(path: Path) -> list[np.ndarray]:
    with np.load(path, allow_pickle=False) as saved:
        return [saved[name] for name in sorted(saved.files)]


def newest(folder: Path) -> Path | None:
    """The whole state in `folder` with the most epochs; None without one."""
    return next(iter(_states(folder)), None)


def _states(folder: Path) -> list[Path]:
    """The whole states in `folder`, that with the most epochs first."""
    whole = [folder / name for name in STATES if folders.is_sealed(folder / name)]
    return sorted(whole, key=_epochs, reverse=True)


def _epochs(state: Path) -> int:
    """How many epochs a state says it has; 0, so that it is the next to go, if it is damaged."""
    try:
        return len(folders.read_json(state / HISTORY))
    except (StorageDamaged, TypeError):
        return 0


def load(folder: Path) -> tuple[Any, Any, list[dict[str, float]]] | None:
    """(model with its optimiser, best weights, history) of the last undamaged save, or None."""
    state = next(filter(folders.is_intact, _states(folder)), None)
    if state is None:
        return None
    model = load_keras().saving.load_model(state / MODEL, {"FusedAdam": fused_adam()})
    return model, _load_arrays(state / BEST), folders.read_json(state / HISTORY)
