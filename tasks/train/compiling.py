"""Keras's optimiser, learning rate and loss from an experiment's words."""

from typing import Any

from tasks.running.tensorflow import load_keras
from tasks.train.keras_parts.fused_adam import fused_adam
from tasks.train.parameters import Training


def compile_model(model: Any, training: Training, steps: int) -> None:
    """Give a Keras model its optimiser and loss; `steps` are the batches of an epoch."""
    model.compile(
        optimizer=_optimiser(training, steps),
        loss=_loss(model, training),
        metrics=["accuracy"],
        # XLA leaves out oneDNN's convolutions: a convnet would train several times more slowly.
        jit_compile=False,
    )


def _optimiser(training: Training, steps: int) -> Any:
    optimizers = load_keras().optimizers
    rate: Any = training.learning_rate
    if training.decay:
        rate = optimizers.schedules.InverseTimeDecay(rate, 1, training.decay)
    if training.cosine:
        rate = optimizers.schedules.CosineDecay(rate, training.epochs * steps)
    if training.optimizer == "sgd":
        return optimizers.SGD(rate, momentum=training.momentum)
    return fused_adam()(rate) if training.optimizer == "adam" else optimizers.RMSprop(rate)


def _loss(model: Any, training: Training) -> Any:
    """The loss that fits the model's output: one sigmoid, or a softmax over the classes."""
    losses = load_keras().losses
    if model.output_shape[-1] == 1:
        return losses.BinaryCrossentropy(label_smoothing=training.label_smoothing)
    if training.one_hot:
        return losses.CategoricalCrossentropy(label_smoothing=training.label_smoothing)
    return losses.SparseCategoricalCrossentropy()
