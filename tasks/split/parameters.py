"""How much goes where: shares or counts that cannot hold a wrong sum."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, model_validator

from storage.references import SPLITS

Rule = Literal["in_order", "stratified", "sticky"]
ROUNDING = 1e-6


class Fractions(BaseModel):
    """Shares of the pictures of each class; they sum to one, and train is never empty."""

    model_config = ConfigDict(frozen=True, extra="forbid")

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


class Counts(BaseModel):
    """Pictures of each class, in natural order: first train, then validation, then test."""

    model_config = ConfigDict(frozen=True, extra="forbid")

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
