"""How a model is trained: Keras's optimiser, learning rate and loss from an experiment's words."""

from typing import Any, NamedTuple

from tasks.pictures.augmentation import Augmentation
from tasks.running.tensorflow import load_keras
from tasks.train.keras_parts.fused_adam import fused_adam


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


def compile_model(model: Any, schedule: Schedule, steps: int) -> None:
    """Give a Keras model its optimiser and loss; `steps` are the batches of an epoch."""
    model.compile(
        optimizer=_optimiser(schedule, steps),
        loss=_loss(model, schedule),
        metrics=["accuracy"],
        # XLA leaves out oneDNN's convolutions: a convnet would train several times more slowly.
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
    return fused_adam()(rate) if schedule.optimizer == "adam" else optimizers.RMSprop(rate)


def _loss(model: Any, schedule: Schedule) -> Any:
    """The loss that fits the model's output: one sigmoid, or a softmax over the classes."""
    losses = load_keras().losses
    if model.output_shape[-1] == 1:
        return losses.BinaryCrossentropy(label_smoothing=schedule.label_smoothing)
    if schedule.one_hot:
        return losses.CategoricalCrossentropy(label_smoothing=schedule.label_smoothing)
    return losses.SparseCategoricalCrossentropy()
