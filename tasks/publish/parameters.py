"""What `publish` is told: the figure to compare with, and the gate before a release."""

import difflib
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tasks.evaluate.parameters import SIGNIFICANCE
from tasks.running.parameters import Parameters


class PublishedFigure(Parameters):
    """The accuracy that a tutorial reports for an experiment."""

    accuracy: float = Field(gt=0, le=1)
    split: Literal["train", "validation", "test"] = Field(
        "test", description="Where it was measured."
    )
    source: str = Field("", description="Who published it, in the report's words.")


def _metric(name: str) -> str:
    from tasks.evaluate.metrics import METRICS  # with numpy, for those who ask for a bound

    if name not in METRICS:
        close = difflib.get_close_matches(name, METRICS, n=1)
        hint = f"did you mean {close[0]}?" if close else f"one of {', '.join(METRICS)}"
        raise ValueError(f"there is no metric {name!r}: {hint}")
    return name


class Gate(Parameters):
    """What a model must reach: a floor, and not to be significantly worse than the current one."""

    floor: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Least evaluate.headline on the test pictures, by default accuracy; 0: of 30 "
        "pictures or more, better than always giving the same answer.",
    )
    bounds: dict[Annotated[str, AfterValidator(_metric)], float] = Field(
        {},
        description="Of other metrics on the test pictures, by name, the least; where lower is "
        "better, as in log_loss, the most.",
    )
    accept_loss: bool = Field(
        default=False,
        description="Publish also where a class of the current model is gone, more than a tenth of "
        "its pictures, or all its classes.",
    )
    significance: float = Field(
        SIGNIFICANCE, gt=0, lt=1, description="Worse at this p-value of exact McNemar is worse."
    )


class Publish(Parameters):
    """What the report compares with, and what a model must reach to be published."""

    figure: PublishedFigure | None = None
    gate: Gate = Gate()
