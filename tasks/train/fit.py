"""Training of one head, resumable."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tasks.tensorflow import load_keras
from tasks.train import batches, checkpoint
from tasks.train.head import Head, build_head, loss_of
from tasks.train.randomness import reseeding

if TYPE_CHECKING:
    import numpy as np


class Labelled(NamedTuple):
    """Rows of features by position, and the number of each row's class."""

    rows: Any
    labels: "np.ndarray"


class Fitted(NamedTuple):
    """A trained head and one row of losses and accuracies per epoch."""

    model: Any
    history: list[dict[str, float]]

    @property
    def best_loss(self) -> float:
        """The lowest watched loss: what decides between repeats. Test pictures play no part."""
        return min(checkpoint.watched(row) for row in self.history)


def fit_head(
    train: Labelled,
    validation: Labelled,
    *,
    shape: tuple[int, ...],
    classes: int,
    head: Head,
    optimizer: str,
    learning_rate: float,
    epochs: int,
    batch_size: int,
    patience: int | None,
    keep: str,
    seed: int,
    unfinished: Path,
    seconds_between: float = checkpoint.SECONDS_BETWEEN,
    callbacks: tuple[Any, ...] = (),
) -> Fitted:
    """A head trained for `epochs`, with the weights of its best epoch (`keep="best"`) or the last.

    Goes on from `unfinished` where a killed training left its state there; a training that had
    come to its end is not gone on with. TrainingDiverged when a loss is not finite.
    """
    keras = load_keras()
    keras.utils.set_random_seed(seed)
    state = checkpoint.load(unfinished)
    if state is None:
        model, best = build_head(head, shape, classes), None
        history: list[dict[str, float]] = []
        _compile(model, optimizer, learning_rate, classes)
    else:
        model, best, history = state
    saver = checkpoint.checkpointing(unfinished, seconds_between, history, best, patience)
    if not checkpoint.is_over(history, epochs, patience):
        model.fit(
            batches.dataset(
                train.rows, train.labels, shape,
                batch_size=batch_size, seed=seed, first_epoch=len(history),
            ),
            validation_data=_validation(validation, shape),
            initial_epoch=len(history),
            epochs=epochs,
            shuffle=False,  # the dataset shuffles by itself; Keras would draw from a global state
            callbacks=[reseeding(seed), saver, *callbacks],
            verbose=0,
        )  # fmt: skip
    if keep == "best" and saver.best_weights is not None:
        model.set_weights(saver.best_weights)
    return Fitted(model, history)


def _compile(model: Any, optimizer: str, learning_rate: float, classes: int) -> None:
    optimiser = load_keras().optimizers.get(optimizer)
    optimiser.learning_rate = learning_rate
    model.compile(optimizer=optimiser, loss=loss_of(classes), metrics=["accuracy"])


def _validation(validation: Labelled, shape: tuple[int, ...]) -> Any:
    if not len(validation.labels):
        return None
    return batches.in_order(validation.rows, validation.labels, shape, batch_size=256)
