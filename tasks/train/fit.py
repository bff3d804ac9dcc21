"""Training of one model, resumable."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from storage.errors import ParameterError
from tasks import tally
from tasks.augmentation import Augmentation
from tasks.tensorflow import load_keras, load_tensorflow
from tasks.train import batches, checkpoint
from tasks.train.batches import Labelled
from tasks.train.mixing import mixed
from tasks.train.randomness import reseeding


class Schedule(NamedTuple):
    """How a model is trained, in Keras's words; what each means is said in flows/parameters.py."""

    optimizer: str
    learning_rate: float
    epochs: int
    batch_size: int
    momentum: float = 0.0
    decay: float = 0.0
    cosine: bool = False
    label_smoothing: float = 0.0
    mixup: float = 0.0
    patience: int | None = None
    keep: str = "best"
    steps_per_epoch: int | None = None
    augmentation: Augmentation | None = None

    @property
    def one_hot(self) -> bool:
        """Whether a softmax learns from shares of classes: Keras wants those in full."""
        return self.label_smoothing > 0 or self.mixup > 0


class Fitted(NamedTuple):
    """A trained model without its optimiser, and one row of losses and accuracies per epoch."""

    model: Any
    history: list[dict[str, float]]
    keep: str = "best"

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
    schedule: Schedule,
    seed: int,
    unfinished: Path,
    seconds_between: float = checkpoint.SECONDS_BETWEEN,
    callbacks: tuple[Any, ...] = (),
    rate_name: str = "training.learning_rate",
) -> Fitted:
    """The model that `build` makes, trained, with the weights of its best epoch or its last.

    Goes on from `unfinished` where a killed training left its state there; a training that had
    come to its end is not gone on with. TrainingDiverged, naming the parameter `rate_name`, when a
    loss is not finite.
    """
    load_keras().utils.set_random_seed(seed)
    steps = batches.steps_of(len(train.labels), schedule.batch_size, schedule.steps_per_epoch)
    model, best, history = checkpoint.load(unfinished) or (build(), None, [])
    if not history:
        _compile(model, schedule, steps)
    remedy = f"lower {rate_name} (now {schedule.learning_rate:g})"
    saver = checkpoint.checkpointing(
        unfinished, seconds_between, history, best, schedule.patience, remedy
    )
    if not checkpoint.is_over(history, schedule.epochs, schedule.patience):
        training_batches = batches.shuffled(
            train, shape,
            batch_size=schedule.batch_size, seed=seed, first_batch=len(history) * steps,
            augmentation=schedule.augmentation,
        )  # fmt: skip
        model.fit(
            _mixed(
                _targets(training_batches, model, schedule), model, schedule,
                seed=seed, first_batch=len(history) * steps,
            ),
            validation_data=_validation(validation, shape, model, schedule),
            initial_epoch=len(history),
            epochs=schedule.epochs,
            steps_per_epoch=steps,
            shuffle=False,  # the dataset shuffles by itself
            callbacks=[reseeding(seed), saver, _counting(), *callbacks],
            verbose=0,
        )  # fmt: skip
    if schedule.keep == "best" and saver.best_weights is not None:
        model.set_weights(saver.best_weights)
    # The optimiser is twice as large as the model, and all repeats are held at once.
    model.optimizer, model.compiled = None, False
    return Fitted(model, history, schedule.keep)


def _counting() -> Any:
    callback = load_keras().callbacks.LambdaCallback
    return callback(on_epoch_end=lambda epoch, logs: tally.count("epochs", 1))


def _compile(model: Any, schedule: Schedule, steps: int) -> None:
    model.compile(
        optimizer=_optimiser(schedule, steps),
        loss=_loss(model, schedule),
        metrics=["accuracy"],
        # XLA leaves out the CPU's bf16 convolutions: a convnet would train at half the speed.
        jit_compile=False,
    )


def _optimiser(schedule: Schedule, steps: int) -> Any:
    optimizers = load_keras().optimizers
    rate: Any = schedule.learning_rate
    if schedule.decay:
        rate = optimizers.schedules.InverseTimeDecay(rate, 1, schedule.decay)
    if schedule.cosine:
        rate = optimizers.schedules.CosineDecay(rate, schedule.epochs * steps)
    if schedule.optimizer == "sgd":
        return optimizers.SGD(rate, momentum=schedule.momentum)
    return {"adam": optimizers.Adam, "rmsprop": optimizers.RMSprop}[schedule.optimizer](rate)


def _loss(model: Any, schedule: Schedule) -> Any:
    """The loss that fits the model's output: one sigmoid, or a softmax over the classes."""
    losses = load_keras().losses
    if model.output_shape[-1] == 1:
        return losses.BinaryCrossentropy(label_smoothing=schedule.label_smoothing)
    if schedule.one_hot:
        return losses.CategoricalCrossentropy(label_smoothing=schedule.label_smoothing)
    return losses.SparseCategoricalCrossentropy()


def _targets(dataset: Any, model: Any, schedule: Schedule) -> Any:
    """The batches with labels as the loss takes them."""
    classes = model.output_shape[-1]
    if classes == 1 or not schedule.one_hot:
        return dataset
    one_hot = load_tensorflow().one_hot
    return dataset.map(lambda rows, labels: (rows, one_hot(labels, classes)))


def _mixed(dataset: Any, model: Any, schedule: Schedule, *, seed: int, first_batch: int) -> Any:
    if not schedule.mixup:
        return dataset
    if model.output_shape[-1] == 1:
        # Its accuracy would count a blended label as wrong whatever the prediction.
        raise ParameterError("training.mixup is for softmaxes, found a model of one sigmoid: set 0")
    return mixed(dataset, schedule.mixup, seed=seed, first_batch=first_batch)


def _validation(
    validation: Labelled, shape: tuple[int, ...], model: Any, schedule: Schedule
) -> Any:
    if not len(validation.labels):
        return None
    return _targets(batches.in_order(validation, shape, batch_size=64), model, schedule)
