"""What `evaluate` is told: which figure leads, and what is looked at closely."""

from typing import Literal

from pydantic import Field

from tasks.running.parameters import Parameters

# A difference at this p-value of exact McNemar is one.
SIGNIFICANCE = 0.05
HeadlineMetric = Literal["accuracy", "balanced_accuracy", "macro_f1"]


class Evaluate(Parameters):
    """Which metric is the figure that a model stands and falls by."""

    headline: HeadlineMetric = Field(
        "accuracy",
        description="The figure that leads the report and the index, and that the gate judges by. "
        "balanced_accuracy and macro_f1 let all classes count alike, however many pictures they "
        "have.",
    )


class Look(Parameters):
    """Which layer's feature maps are drawn, and of which picture."""

    layer: str | None = Field(
        None, description="A layer of the network; default its first convolution."
    )
    picture: str | None = Field(
        None, description="The name of a picture's file; default the first test picture."
    )
