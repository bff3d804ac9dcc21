"""References: small frozen models, the only thing that steps pass to each other.

A reference says what was made (its digest), where it is (relative to the workspace) and how much
there is of it. Two references with the same digest stand for the same content.
"""

from pydantic import BaseModel, ConfigDict

SPLITS = ("train", "validation", "test")


class Reference(BaseModel):
    """What every reference holds; `bytes` is the size of the file at `where`, 0 for a folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest: str
    where: str
    bytes: int = 0


class CollectionRef(Reference):
    """What `acquire` found: rows that carry a picture, and all rows.

    `remarks` say how the source was understood, and what the user should know of it.
    """

    images: int
    rows: int
    remarks: tuple[str, ...] = ()


class ImagesRef(Reference):
    """What `clean` left: usable pictures, their classes and the rows it turned down.

    `copies` is which it looked for, `given` whether the splits that the source
    gives are the ones to use. `remarks` say what else became of them.
    """

    images: int
    rejected: int
    ignored: int
    groups: int
    classes: tuple[str, ...]
    copies: str = "edited"
    given: bool = False
    remarks: tuple[str, ...] = ()


class SplitRef(Reference):
    """Which picture is in which split; `tree` is the folder tree of hard links, "" without one.

    `lineage` is where it is kept what a sticky split put where, "" for the others. `remarks` say
    what a split that was given brought with it.
    """

    tree: str
    lineage: str = ""
    classes: tuple[str, ...]
    train: int
    validation: int
    test: int
    left_out: int
    remarks: tuple[str, ...] = ()


class AssignmentRef(Reference):
    """Where every picture that an experiment ever had was put (image, split)."""

    images: int


class FeaturesRef(Reference):
    """The features of a split's pictures in one feature space.

    `views` are the views of each training picture, `averaged` those of every picture over whose
    predictions an evaluation takes the mean; "" is the picture as it is. `remarks` say what the
    user should know of how they were computed.
    """

    space: str
    shape: tuple[int, ...]
    images: int
    views: tuple[str, ...] = ("",)
    averaged: tuple[str, ...] = ("",)
    remarks: tuple[str, ...] = ()


class ModelRef(Reference):
    """A folder with the model that takes pictures, and one head per repeat."""

    classes: tuple[str, ...]
    repeats: int


class EvaluationRef(Reference):
    """A folder with the predictions table and the metrics."""

    images: int


class ReportRef(Reference):
    """A folder with report.html, metrics.json and plot.png."""

    experiment: str
    run: str
