"""What `split` is told: the rule, and how much goes where, which cannot hold a wrong sum."""

from typing import Literal, Self

from pydantic import Field, NonNegativeInt, model_validator

from storage.references import SPLITS
from tasks.clean.given_splits import Splits
from tasks.clean.parameters import Needed
from tasks.running.parameters import Parameters

Rule = Literal["in_order", "stratified", "sticky", "given", "by_time"]
SplitName = Literal["train", "validation", "test"]
ROUNDING = 1e-6
# Of more pictures a tree of links is made only if it is asked for: nothing here reads it.
LARGEST_TREE = 20_000


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

    rule: Rule | None = Field(
        None,
        description="given: as the source has them (split folders, a table's column, lists); "
        "sticky: shares of each class, drawn by seed, and pictures that are added move none; "
        "stratified: so too, drawn anew; in_order: by name, the first of each class train; "
        "by_time: the newest are test. Default given where the source has splits, else sticky.",
    )
    counts: Counts | None = Field(None, description="Pictures of each class, for rule in_order.")
    fractions: Fractions | None = Field(
        None,
        description="Shares, for stratified, sticky and by_time; of a given split without "
        "validation, what validation takes of train.",
    )
    seed: NonNegativeInt = Field(
        7, description="For stratified and sticky: another one starts a new split."
    )
    lists: dict[SplitName, str] = Field(
        {},
        description="For rule given: files with a picture's name a line, as in {train: train.txt, "
        "test: test.txt}, on disk or in the source. Without a list for train, it is what no list "
        "names.",
    )
    copies: Literal["leave_out", "keep"] = Field(
        "leave_out",
        description="For rule given: pictures that are nearly the same as one of another split "
        "are left out of the one that is tested less, or kept as published.",
    )

    tree: bool | None = Field(
        None,
        description="Lay the pictures out as folders, splits/DIGEST/train/CLASS/FILE, for eyes and "
        f"other programs; default up to {LARGEST_TREE:,} pictures.",
    )

    @model_validator(mode="after")
    def _fits_rule(self) -> Self:
        if self.rule == "in_order" and (self.counts is None or self.fractions is not None):
            raise ValueError("rule in_order takes counts: {train, validation, test}, not fractions")
        if self.rule != "in_order" and self.counts is not None:
            raise ValueError(f"rule {self.rule or 'sticky'} takes fractions, not counts")
        if self.lists and self.rule not in (None, "given"):
            raise ValueError(f"lists are for rule given, not for {self.rule}")
        return self

    @property
    def asked(self) -> Rule | None:
        """The rule that was asked for; None where the source decides."""
        return "given" if self.lists else self.rule

    def wants_tree(self, pictures: int) -> bool:
        """Whether so many pictures are laid out as folders."""
        return pictures <= LARGEST_TREE if self.tree is None else self.tree

    @property
    def is_sticky(self) -> bool:
        """Whether pictures keep their splits from run to run."""
        return self.asked in (None, "sticky", "given")

    @property
    def splits(self) -> Splits:
        """Whether the splits that a source gives are taken."""
        if self.asked is None:
            return "either"
        return "given" if self.asked == "given" else "own"

    @property
    def needed(self) -> Needed:
        """What the rule asks of each class."""
        if self.counts is not None:
            return Needed(pictures=sum(self.counts.numbers().values()), different=False)
        if self.asked in ("given", "by_time"):
            return Needed()
        return Needed(pictures=sum(1 for share in self.shares.values() if share > 0))

    @property
    def shares(self) -> dict[str, float]:
        """Split name -> share, for the rules that take shares."""
        return (self.fractions or Fractions()).shares()

    @property
    def list_files(self) -> dict[str, str]:
        """Split name -> the file that names its pictures."""
        return {str(split): file for split, file in self.lists.items()}

    @property
    def amounts(self) -> Counts | Fractions:
        """What the rule works with."""
        return self.counts or self.fractions or Fractions()
