"""An experiment's parameters: one tree, the same in YAML, on the command line and in Prefect."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    Discriminator,
    Field,
    GetJsonSchemaHandler,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    Tag,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from tasks.acquire.parameters import Source, UserPath
from tasks.clean.parameters import Clean
from tasks.evaluate.look import Look
from tasks.extract.precision import resolve
from tasks.extract.preprocessing import MODES, Preprocessing
from tasks.pictures.augmentation import Augmentation
from tasks.pictures.views import Averaging
from tasks.publish.parameters import PublishedFigure
from tasks.publish.release.gate import Gate
from tasks.running.parameters import Parameters
from tasks.split.parameters import Split
from tasks.train.fine_tuning import FineTuning
from tasks.train.head import Head
from tasks.train.networks import SMALLEST_SIDE, WITH_DROPOUT, Network, NetworkName

# What a field says that two models have.
SIZE = "Side of the square that pictures are resized to (pixels)."
PRECISION = "auto: bfloat16 on CPUs that multiply it, else float32."

StepName = Literal["acquire", "clean", "split", "extract", "train", "evaluate", "publish"]


class Pretrained(Parameters):
    """A network of keras.applications with ImageNet weights, and how pictures are shown to it."""

    backbone: str = Field("VGG16", description="A network of keras.applications.")
    image_size: Annotated[int, Field(ge=32, le=1024)] = Field(180, description=SIZE)
    preprocessing: Preprocessing = Field(
        "imagenet",
        description="imagenet: as the backbone was trained; rescale: pixels divided by 255.",
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field("auto", description=PRECISION)
    weights: UserPath | None = Field(None, description="A file with VGG16's published weights.")
    views: NonNegativeInt = Field(
        0, description="Changed views of each training picture (training.augmentation), cached."
    )
    averaging: Averaging = Field(
        "none", description="mirror: predict the mean over a picture and its mirror image."
    )

    @model_validator(mode="after")
    def _known_backbone(self) -> Self:
        if self.backbone not in MODES:
            raise ValueError(f"unknown backbone {self.backbone!r}: one of {', '.join(MODES)}")
        if self.weights is not None and self.backbone != "VGG16":
            raise ValueError("weights is for VGG16 only; Keras caches the others by itself")
        if self.preprocessing == "rescale" and MODES[self.backbone] == "none":
            raise ValueError(
                f"{self.backbone} scales pixels by itself: model.preprocessing must be imagenet, "
                "with rescale it would see hardly anything"
            )
        return self

    def extraction(self) -> dict[str, Any]:
        """What the step `extract` is told."""
        return {
            "backbone": self.backbone,
            "image_size": self.image_size,
            "preprocessing": self.preprocessing,
            "precision": resolve(self.precision),
            "views": self.views,
            "averaging": self.averaging,
            "weights": self.weights,
        }


class Features(Pretrained):
    """A dense head on a pretrained network's features."""

    kind: Literal["features"] = "features"
    layer: str | None = Field(None, description="Take features from this layer; default the last.")
    head: Head = Head()

    def extraction(self) -> dict[str, Any]:
        """What the step `extract` is told."""
        return super().extraction() | {"layer": self.layer}

    def part(self) -> Head:
        """What is trained."""
        return self.head


class FineTuned(Pretrained, FineTuning):
    """A head first, then the pretrained network's last layers under it as well.

    Training's words are those of the second stage.
    """

    kind: Literal["finetune"]
    layer: str = Field(
        "block4_pool", description="Layers above this one are tuned; its outputs are cached."
    )

    def extraction(self) -> dict[str, Any]:
        """What the step `extract` is told."""
        return super().extraction() | {"layer": self.layer}

    def part(self) -> FineTuning:
        """What is trained."""
        return FineTuning(**{name: getattr(self, name) for name in FineTuning.model_fields})


class FromScratch(Parameters):
    """A network trained from the pictures themselves."""

    kind: Literal["network"]
    network: NetworkName
    image_size: Annotated[int, Field(ge=28, le=1024)] = Field(150, description=SIZE)
    channels: Literal[1, 3] = Field(3, description="1 for grey pictures.")
    precision: Literal["auto", "float32", "bfloat16"] = Field("auto", description=PRECISION)
    dropout: Annotated[float, Field(ge=0, lt=1)] | None = Field(
        None, description="Before dense layers; default as published."
    )
    local_response_normalisation: bool = Field(default=False, description="AlexNet's.")
    averaging: Averaging = Field(
        "none", description="mirror: predict the mean over a picture and its mirror image."
    )
    weights: None = None

    @model_validator(mode="after")
    def _suits_network(self) -> Self:
        if self.image_size < SMALLEST_SIDE.get(self.network, 0):
            raise ValueError(
                f"{self.network} needs image_size of at least {SMALLEST_SIDE[self.network]} "
                f"pixels, found {self.image_size}: its pools leave nothing of less"
            )
        if self.dropout is not None and self.network not in WITH_DROPOUT:
            raise ValueError(
                f"dropout is an option of {', '.join(WITH_DROPOUT)}; {self.network} "
                "has it as published"
            )
        if self.local_response_normalisation and self.network != "alexnet":
            raise ValueError(f"local_response_normalisation is for alexnet, not {self.network}")
        return self

    def extraction(self) -> dict[str, Any]:
        """What the step `extract` is told."""
        return {
            "backbone": None,
            "image_size": self.image_size,
            "channels": self.channels,
            "averaging": self.averaging,
        }

    def part(self) -> Network:
        """What is trained."""
        return Network(
            name=self.network,
            dropout=self.dropout,
            local_response_normalisation=self.local_response_normalisation,
            precision=resolve(self.precision),
        )


def _kind(model: Any) -> str:
    """Which model a tree means; `features` where it does not say."""
    if isinstance(model, dict):
        return str(model.get("kind", "features"))
    return str(getattr(model, "kind", model))


class AnyOf:
    """In the schema that Prefect checks parameters by, one kind is enough.

    Prefect takes `kind` for optional, and a tree without it would be of two kinds at once.
    """

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The schema with anyOf for oneOf."""
        found = handler(schema)
        found["anyOf"] = found.pop("oneOf")
        return found


Model = Annotated[
    Annotated[Features, Tag("features")]
    | Annotated[FineTuned, Tag("finetune")]
    | Annotated[FromScratch, Tag("network")],
    Discriminator(_kind),
    AnyOf(),
]


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
    def _one_schedule(self) -> Self:
        if self.decay and self.cosine:
            raise ValueError("decay and cosine are two ways to lower the learning rate: take one")
        if self.momentum and self.optimizer != "sgd":
            raise ValueError(f"momentum is for sgd, found it with {self.optimizer}")
        return self


class Publish(Parameters):
    """What the report compares with, and what a model must reach to be published."""

    figure: PublishedFigure | None = None
    gate: Gate = Gate()


class Experiment(Parameters):
    """All that a run needs to know."""

    experiment: str = Field(
        min_length=1,
        max_length=100,
        description="The name that sticky splits, reports and published models are kept under.",
    )
    source: Source
    clean: Clean = Clean()
    split: Split = Split()
    model: Model = Features()
    training: Training = Training()
    look: Look = Look()
    publish: Publish = Publish()

    @model_validator(mode="after")
    def _views_are_drawn(self) -> Self:
        views = getattr(self.model, "views", None)
        if views and self.training.augmentation is None:
            raise ValueError("model.views needs training.augmentation, which says how to draw them")
        if views == 0 and self.training.augmentation is not None:
            raise ValueError(
                f"training.augmentation changes nothing for kind {self.model.kind} without "
                "model.views, the number of changed views of each picture to extract"
            )
        return self

    def extraction(self) -> dict[str, Any]:
        """What the step `extract` is told; how views are drawn counts only where there are any."""
        told = self.model.extraction()
        if told.get("views"):
            told |= {"augmentation": self.training.augmentation, "seed": self.training.seed}
        return told
