"""Training of one model, resumable."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from storage.errors import ParameterError
from tasks.running import counters
from tasks.running.interruption import heeded
from tasks.running.tensorflow import load_keras, load_tensorflow
from tasks.train import batches, checkpoint
from tasks.train.batches import Labelled
from tasks.train.compiling import compile_model
from tasks.train.keras_parts.batch_normalisation import fuse
from tasks.train.keras_parts.mixup import mixed
from tasks.train.parameters import Training
from tasks.train.randomness import reseeding, start_from


class Fitted(NamedTuple):
    """A trained model without its optimiser, and one row of losses and accuracies per epoch.

    `facts` are what else training.json says of it, `tried` the candidates of a head that was
    chosen (search.Tried), and `unseen`, of a model that was fitted on validation pictures too,
    (n, classes) probabilities of those from before.
    """

    model: Any
    history: list[dict[str, float]]
    keep: str = "best"
    facts: dict[str, Any] = {}  # noqa: RUF012 - nobody changes it
    tried: tuple[Any, ...] = ()
    unseen: np.ndarray | None = None

    @property
    def loss(self) -> float:
        """The watched loss of the epoch whose weights were kept: what decides between repeats.

        Test pictures play no part.
        """
        losses = [checkpoint.watched(row) for row in self.history]
        return min(losses) if self.keep == "best" else losses[-1]


def fit(
    build: Callable[[], Any],
    train: Labelled,
    validation: Labelled,
    *,
    shape: tuple[int, ...],
    training: Training,
    seed: int,
    unfinished: Path,
    callbacks: tuple[Any, ...] = (),
    rate_name: str = "training.learning_rate",
) -> Fitted:
    """The model that `build` makes, trained, with the weights of its best epoch or its last.

    Goes on from `unfinished` where a killed training left its state there; a training that had
    come to its end is not gone on with. TrainingDiverged, naming the parameter `rate_name`, when a
    loss is not finite.
    """
    start_from(seed)
    steps = batches.steps_of(len(train.labels), training.batch_size, training.steps_per_epoch)
    model, best, history = checkpoint.load(unfinished) or (build(), None, [])
    fuse(model)
    if not history:
        compile_model(model, training, steps)
    remedy = f"lower {rate_name} (now {training.learning_rate:g})"
    saver = checkpoint.checkpointing(
        unfinished, training.seconds_between_checkpoints, history, best, training.patience, remedy
    )
    if not checkpoint.is_over(history, training.epochs, training.patience):
        first_batch = len(history) * steps
        with heeded() as heed:
            model.fit(
                _training(train, shape, model, training, seed=seed, first_batch=first_batch),
                validation_data=_validation(validation, shape, model, training),
                initial_epoch=len(history),
                epochs=training.epochs,
                steps_per_epoch=steps,
                shuffle=False,  # the dataset shuffles by itself
                class_weight=_class_weights(train.labels, training),
                callbacks=[reseeding(seed), saver, _counting(), _heeding(heed), *callbacks],
                verbose=0,
            )
    if training.keep == "best" and saver.best_weights is not None:
        model.set_weights(saver.best_weights)
    # The optimiser is twice as large as the model, and all repeats are held at once.
    model.optimizer, model.compiled = None, False
    return Fitted(model, history, training.keep)


def _class_weights(labels: np.ndarray, training: Training) -> dict[int, float] | None:
    """What a picture of each class counts for; None where all count alike."""
    if training.class_weights == "none":
        return None
    from sklearn.utils.class_weight import compute_class_weight

    there = np.unique(labels)
    weights = compute_class_weight(training.class_weights, classes=there, y=labels)
    return dict(zip(there.tolist(), weights.tolist(), strict=True))


def _counting() -> Any:
    callback = load_keras().callbacks.LambdaCallback
    return callback(on_epoch_end=lambda epoch, logs: counters.count("epochs", 1))


def _heeding(heed: Callable[[], None]) -> Any:
    callback = load_keras().callbacks.LambdaCallback
    return callback(on_train_batch_end=lambda batch, logs: heed())


def _training(
    train: Labelled,
    shape: tuple[int, ...],
    model: Any,
    training: Training,
    *,
    seed: int,
    first_batch: int,
) -> Any:
    dataset = batches.shuffled(
        train,
        shape,
        batch_size=training.batch_size,
        seed=seed,
        first_batch=first_batch,
        augmentation=training.augmentation,
        balanced=training.sampling == "balanced",
    )
    dataset = _targets(dataset, model, training)
    if training.mixup and model.output_shape[-1] == 1:
        # Its accuracy would count a blended label as wrong whatever the prediction.
        raise ParameterError("training.mixup is for softmaxes, found a model of one sigmoid: set 0")
    if training.mixup:
        dataset = mixed(dataset, training.mixup, seed=seed, first_batch=first_batch)
    return batches.ahead(dataset)


def _validation(
    validation: Labelled, shape: tuple[int, ...], model: Any, training: Training
) -> Any:
    if not len(validation.labels):
        return None
    dataset = batches.in_order(validation, shape, batch_size=64)
    return batches.ahead(_targets(dataset, model, training))


def _targets(dataset: Any, model: Any, training: Training) -> Any:
    """The batches with labels as the loss takes them."""
    classes = model.output_shape[-1]
    if classes == 1 or not training.one_hot:
        return dataset
    one_hot = load_tensorflow().one_hot
    return dataset.map(lambda rows, labels: (rows, one_hot(labels, classes)))
