"""What `train` is told: what is trained, and how."""

from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from tasks.features.parameters import Precision
from tasks.pictures.parameters import Augmentation
from tasks.running.parameters import Parameters

# Names that Keras knows; a slip of the pen is found before any picture is read.
Activation = Literal[
    "relu", "gelu", "elu", "selu", "silu", "tanh", "sigmoid", "leaky_relu", "linear"
]  # fmt: skip


class DenseLayer(Parameters):
    """One hidden layer."""

    units: PositiveInt
    activation: Activation = "relu"
    dropout: float = Field(0.0, ge=0, lt=1)


class Head(Parameters):
    """From a feature map to probabilities: hidden layers trained in epochs, or what is chosen."""

    kind: Literal["dense", "linear"] = Field(
        "dense",
        description="dense: the pooling and layers below, trained in epochs; linear: one layer, "
        "whose method, pooling and regularisation validation chooses, in seconds.",
    )
    pooling: Literal["flatten", "average", "max"] = Field(
        "average", description="How a feature map becomes a vector; for kind dense."
    )
    layers: tuple[DenseLayer, ...] = Field(
        (DenseLayer(units=256, dropout=0.5),),
        description="Hidden layers, for kind dense; dropout is the share of units left out in "
        "training.",
    )

    @model_validator(mode="after")
    def _nothing_without_effect(self) -> Self:
        if self.kind != "dense":
            for name in ("pooling", "layers"):
                if getattr(self, name) != type(self).model_fields[name].default:
                    raise ValueError(
                        f"{name} is for kind dense, and kind {self.kind} chooses it: leave it out, "
                        f"or set model.head.kind=dense"
                    )
        return self

    @property
    def is_chosen(self) -> bool:
        """Whether candidates are tried, instead of one head being trained in epochs."""
        return self.kind != "dense"


class Frozen(Parameters):
    """A head alone, on features of a network that stands still."""

    head: Head = Head()


class FineTuning(Parameters):
    """The head, and how it is trained while the layers under it stand still (Adam)."""

    head: Head = Head()
    head_epochs: PositiveInt = Field(15, description="Of the first stage, the head alone.")
    head_learning_rate: PositiveFloat = Field(1e-3, description="Adam's, in the first stage.")

    @model_validator(mode="after")
    def _trained_on(self) -> Self:
        if self.head.is_chosen:
            raise ValueError(
                f"head.kind {self.head.kind} is for features that stand still: set "
                "model.head.kind=dense"
            )
        return self


NetworkName = Literal["smaller_vgg", "small_convnet", "baseline_convnet", "alexnet", "lenet5"]

# Fewer pixels on a side than this and a pool is left with nothing.
SMALLEST_SIDE = {"alexnet": 67, "baseline_convnet": 46}
WITH_DROPOUT = ("alexnet", "baseline_convnet", "small_convnet")


class Network(Parameters):
    """Which network; None and False leave it as published."""

    network: NetworkName
    dropout: float | None = Field(
        None, ge=0, lt=1, description="Before dense layers, where the network leaves a choice."
    )
    local_response_normalisation: bool = Field(
        default=False, description="AlexNet's, after its first two convolutions."
    )
    precision: Precision = "float32"


Trained = Frozen | FineTuning | Network


class Training(Parameters):
    """How the model is trained, in Keras's words."""

    optimizer: Literal["rmsprop", "adam", "sgd"] = "adam"
    learning_rate: PositiveFloat = 1e-3
    momentum: Annotated[float, Field(ge=0, lt=1)] = Field(0.0, description="For sgd.")
    decay: NonNegativeFloat = Field(
        0.0, description="Divides the learning rate by 1 + decay x batches, as Keras 2 did."
    )
    cosine: bool = Field(
        default=False, description="Let the learning rate fall to 0 along a cosine."
    )
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0, description="Share of certainty taken off each label: for labels that may be wrong."
    )
    mixup: NonNegativeFloat = Field(
        0.0,
        description="Blend pictures of a batch in pairs, by shares from Beta(mixup, mixup); for "
        "softmaxes only.",
    )
    epochs: PositiveInt = 30
    batch_size: PositiveInt = 32
    steps_per_epoch: PositiveInt | None = Field(
        None, description="Batches in an epoch; default every picture once."
    )
    augmentation: Augmentation | None = Field(
        None, description="Random changes: at every epoch for a network, else for model.views."
    )
    patience: PositiveInt | None = Field(
        None, description="Stop when validation loss has not improved for so many epochs."
    )
    keep: Literal["best", "last"] = Field("best", description="The weights of which epoch.")
    refit: bool = Field(
        default=True,
        description="Once a head is chosen (model.head.kind), fit it on validation pictures too; "
        "what is said of those is from before.",
    )
    class_weights: Literal["none", "balanced"] = Field(
        "none", description="balanced: pictures of rare classes count for more, all classes alike."
    )
    sampling: Literal["none", "balanced"] = Field(
        "none",
        description="balanced: each pass draws as many pictures of every class, those of rare ones "
        "several times, in other views where there are some; a chosen head weighs them instead.",
    )
    calibration: Literal["none", "temperature"] = Field(
        "none",
        description="temperature: probabilities are made to mean what they say, by one number "
        "fitted on validation; a chosen head's always are.",
    )
    repeats: Annotated[int, Field(ge=1, le=100)] = Field(1, description="Trainings, one seed each.")
    # NumPy's and Keras's generators take 32 bits, and repeats count on from here.
    seed: Annotated[int, Field(ge=0, le=2**31)] = Field(
        1, description="Of the first training; also draws model.views, another one extracts anew."
    )
    tensorboard: bool = Field(
        default=False,
        description="Write logs; needs the extra `tensorboard`, and --rerun train where the model "
        "is trained already.",
    )
    seconds_between_checkpoints: PositiveFloat = Field(
        10.0, description="How much work a kill may cost, and at least the epoch it was in."
    )

    @model_validator(mode="after")
    def _one_way_of_each(self) -> Self:
        if self.decay and self.cosine:
            raise ValueError("decay and cosine are two ways to lower the learning rate: take one")
        if self.class_weights != "none" and self.sampling != "none":
            raise ValueError(
                "class_weights and sampling both make classes count alike, and together they "
                "overdo it: take one"
            )
        if self.momentum and self.optimizer != "sgd":
            raise ValueError(f"momentum is for sgd, found it with {self.optimizer}")
        return self

    @property
    def balanced(self) -> bool:
        """Whether all classes count alike, one way or the other."""
        return "balanced" in (self.class_weights, self.sampling)

    @property
    def one_hot(self) -> bool:
        """Whether a softmax learns from shares of classes: Keras wants those in full."""
        return self.label_smoothing > 0 or self.mixup > 0
