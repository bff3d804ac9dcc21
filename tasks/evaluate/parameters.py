"""What `evaluate` is told: what is looked at closely."""

from pydantic import Field

from tasks.running.parameters import Parameters

# A difference at this p-value of exact McNemar is one.
SIGNIFICANCE = 0.05


class Look(Parameters):
    """Which layer's feature maps are drawn, and of which picture."""

    layer: str | None = Field(
        None, description="A layer of the network; default its first convolution."
    )
    picture: str | None = Field(
        None, description="The name of a picture's file; default the first test picture."
    )
