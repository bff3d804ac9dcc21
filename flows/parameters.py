"""An experiment's parameters: one tree, the same in YAML, on the command line and in Prefect."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from tasks.acquire.sources import Source
from tasks.decode import MAX_PIXELS
from tasks.extract.preprocessing import MODES, Preprocessing
from tasks.publish.figures import PublishedFigure
from tasks.publish.gate import Gate
from tasks.split.rules import Counts, Fractions, Rule
from tasks.train.head import Head

StepName = Literal["acquire", "clean", "split", "extract", "train", "evaluate", "publish"]


class Parameters(BaseModel):
    """What all groups share: unknown fields are errors, values do not change."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Clean(Parameters):
    """What makes a picture usable."""

    min_side: PositiveInt = Field(16, description="Smaller pictures are set aside (pixels).")
    max_pixels: PositiveInt = Field(MAX_PIXELS, description="Larger pictures are set aside.")
    near_duplicates: bool = Field(default=True, description="Keep near-duplicates in one split.")


class Split(Parameters):
    """How pictures are shared out between train, validation and test."""

    rule: Rule = "sticky"
    counts: Counts | None = Field(None, description="Pictures of each class, for rule in_order.")
    fractions: Fractions | None = Field(None, description="Shares, for stratified and sticky.")
    seed: NonNegativeInt = 7

    @model_validator(mode="after")
    def _fits_rule(self) -> Self:
        if self.rule == "in_order" and (self.counts is None or self.fractions is not None):
            raise ValueError("rule in_order takes counts: {train, validation, test}, not fractions")
        if self.rule != "in_order" and self.counts is not None:
            raise ValueError(f"rule {self.rule} takes fractions, not counts")
        return self

    @property
    def amounts(self) -> Counts | Fractions:
        """What the rule works with."""
        return self.counts or self.fractions or Fractions()


class Model(Parameters):
    """The network; `features` trains a dense head on a pretrained backbone's features."""

    kind: Literal["features"] = "features"
    backbone: str = Field("VGG16", description="A network of keras.applications.")
    image_size: Annotated[int, Field(ge=32, le=1024)] = 180
    preprocessing: Preprocessing = "imagenet"
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    layer: str | None = Field(None, description="Take features from this layer; default the last.")
    weights: Path | None = Field(None, description="A file with VGG16's published weights.")
    head: Head = Head()

    @model_validator(mode="after")
    def _known_backbone(self) -> Self:
        if self.backbone not in MODES:
            raise ValueError(f"unknown backbone {self.backbone!r}: one of {', '.join(MODES)}")
        if self.weights is not None and self.backbone != "VGG16":
            raise ValueError("weights is for VGG16 only; Keras caches the others by itself")
        return self


class Training(Parameters):
    """How the head is trained, in Keras's words."""

    optimizer: Literal["rmsprop", "adam", "sgd"] = "adam"
    learning_rate: PositiveFloat = 1e-3
    epochs: PositiveInt = 30
    batch_size: PositiveInt = 32
    patience: PositiveInt | None = Field(
        None, description="Stop when validation loss has not improved for so many epochs."
    )
    keep: Literal["best", "last"] = Field("best", description="The weights of which epoch.")
    repeats: Annotated[int, Field(ge=1, le=100)] = Field(1, description="Trainings, one seed each.")
    seed: NonNegativeInt = 1
    seconds_between_checkpoints: PositiveFloat = Field(
        10.0, description="How much work a kill may cost."
    )


class Publish(Parameters):
    """What the report compares with, and what a model must reach to be published."""

    figure: PublishedFigure | None = None
    gate: Gate = Gate()


class Experiment(Parameters):
    """All that a run needs to know."""

    experiment: str = Field(min_length=1, max_length=100)
    source: Source
    clean: Clean = Clean()
    split: Split = Split()
    model: Model = Model()
    training: Training = Training()
    publish: Publish = Publish()
