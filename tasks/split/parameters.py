"""What `split` is told: the rule, and how much goes where, which cannot hold a wrong sum."""

from typing import Literal, Self

from pydantic import Field, NonNegativeInt, model_validator

from storage.references import SPLITS
from tasks.running.parameters import Parameters

Rule = Literal["in_order", "stratified", "sticky"]
ROUNDING = 1e-6


class Fractions(Parameters):
    """Shares of the pictures of each class; they sum to one, and train is never empty."""

    train: float = Field(0.8, gt=0, le=1)
    validation: float = Field(0.1, ge=0, lt=1)
    test: float = Field(0.1, ge=0, lt=1)

    @model_validator(mode="after")
    def _sum_to_one(self) -> Self:
        total = sum(self.shares().values())
        if abs(total - 1) > ROUNDING:
            raise ValueError(
                f"train + validation + test should be 1, found {total:g} "
                f"({self.train:g} + {self.validation:g} + {self.test:g})"
            )
        return self

    def shares(self) -> dict[str, float]:
        """Split name -> share."""
        return {name: getattr(self, name) for name in SPLITS}


class Counts(Parameters):
    """Pictures of each class, in natural order: first train, then validation, then test."""

    train: NonNegativeInt
    validation: NonNegativeInt = 0
    test: NonNegativeInt = 0

    @model_validator(mode="after")
    def _train_something(self) -> Self:
        if self.train < 1:
            raise ValueError("train should be at least 1 picture of each class, found 0")
        return self

    def numbers(self) -> dict[str, int]:
        """Split name -> pictures of each class."""
        return {name: getattr(self, name) for name in SPLITS}


class Split(Parameters):
    """How pictures are shared out between train, validation and test."""

    rule: Rule = Field(
        "sticky",
        description="in_order: by name, the first of each class train; stratified: shares of each "
        "class, drawn by seed; sticky: so too, and pictures that are added move none.",
    )
    counts: Counts | None = Field(None, description="Pictures of each class, for rule in_order.")
    fractions: Fractions | None = Field(None, description="Shares, for stratified and sticky.")
    seed: NonNegativeInt = Field(
        7, description="For stratified and sticky: another one starts a new split."
    )

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
