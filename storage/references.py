"""References: small frozen models, the only thing that steps pass to each other.

A reference says what was made (its digest), where it is (relative to the workspace) and how much
there is of it. Two references with the same digest stand for the same content.
"""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from storage import digests

# The name of what writes a reference for Prefect, as Prefect keeps it beside the result.
SERIALIZER = "darkroom-reference"
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


class CorrectionsRef(Reference):
    """What people said of labels: a table with a row per picture."""

    images: int


class ImagesRef(Reference):
    """What `clean` left: usable pictures, their classes and the rows it turned down.

    `copies` is which it looked for, `given` whether the splits that the source
    gives are the ones to use, `corrections` where those are that were applied, "" without.
    `remarks` say what else became of them.
    """

    images: int
    rejected: int
    ignored: int
    groups: int
    classes: tuple[str, ...]
    copies: str = "edited"
    given: bool = False
    corrections: str = ""
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


def as_stored(reference: Reference) -> dict[str, Any]:
    """A reference as plain values that `of_stored` knows again, and knows to be whole."""
    kind = type(reference)
    value = {
        "class": f"{kind.__module__}.{kind.__qualname__}",
        "data": reference.model_dump(mode="json"),
    }
    return value | {"sha256": digests.of_value(value)}


def as_result(reference: Reference, key: str) -> bytes:
    """A step's result as Prefect keeps it: what `stored` reads, and Prefect takes for a hit."""
    about = {"storage_key": key, "expiration": None, "serializer": {"type": SERIALIZER}}
    return json.dumps({"metadata": about, "result": json.dumps(as_stored(reference))}).encode()


def of_stored(value: Any) -> Reference:
    """The reference; ValueError, KeyError or TypeError if the values are not as they were."""
    kinds = {f"{kind.__module__}.{kind.__qualname__}": kind for kind in Reference.__subclasses__()}
    plain = {"class": value["class"], "data": value["data"]}
    if digests.of_value(plain) != value["sha256"]:
        raise ValueError("its digest is another")
    return kinds[plain["class"]].model_validate(plain["data"])


def is_older(path: Path) -> bool:
    """Whether a file of Prefect's is one that an earlier version wrote, which nothing reads now."""
    try:
        return bool(json.loads(path.read_bytes())["metadata"]["serializer"]["type"] == "json")
    except (OSError, ValueError, KeyError, TypeError):
        return False


def stored(path: Path) -> Reference | None:
    """The reference in a file of Prefect's; None of what is half-written, damaged or no such."""
    try:
        found = json.loads(path.read_bytes())
        about = found["metadata"]
        # What Prefect asks for, beside the result: damaged, it would fail.
        sound = about["serializer"] == {"type": SERIALIZER} and about["expiration"] is None
        if not (sound and str(about["storage_key"]).endswith(path.name)):
            return None
        return of_stored(json.loads(found["result"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
