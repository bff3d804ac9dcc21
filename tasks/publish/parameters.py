"""What a tutorial published, and how ours stands beside it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class PublishedFigure(BaseModel):
    """The accuracy that a tutorial reports for an experiment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    accuracy: float = Field(gt=0, le=1)
    split: Literal["train", "validation", "test"] = Field(
        "test", description="Where it was measured."
    )
    source: str = Field("", description="Who published it, in the report's words.")


def verdict(figure: PublishedFigure | None, accuracy: dict[str, float] | None) -> str:
    """One sentence that compares our accuracy (mean, low, high) with the published figure."""
    if figure is None or accuracy is None:
        return "No figure is published for this experiment."
    ours = f"{accuracy['mean']:.1%} ({accuracy['low']:.1%} to {accuracy['high']:.1%})"
    theirs = f"{figure.accuracy:.1%}"
    if accuracy["low"] > figure.accuracy:
        return f"Better than published: {ours} against {theirs}; the interval lies above it."
    if accuracy["high"] < figure.accuracy:
        return f"Below what is published: {ours} against {theirs}; the interval lies below it."
    return f"As published: {ours}; the interval holds {theirs}."
