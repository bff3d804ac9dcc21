"""Where work on many pictures is done."""

from typing import Literal, Self

from pydantic import Field, PositiveInt, model_validator

from tasks.running.parameters import Parameters


class Engine(Parameters):
    """What does the work on many pictures; it changes no result."""

    kind: Literal["here", "ray"] = Field(
        "here", description="here: in this process; ray: by Ray's workers (extra ray)."
    )
    address: str | None = Field(
        None,
        max_length=200,
        description="Of a Ray cluster: HOST:PORT, or auto for the one of this machine; if not "
        "said, one is started here, and ends with the step.",
    )
    workers: PositiveInt | None = Field(
        None, description="How many; if not said, one for each processor."
    )

    @model_validator(mode="after")
    def _suits_kind(self) -> Self:
        if self.kind == "here" and (self.address or self.workers):
            raise ValueError("engine.address and engine.workers are for engine.kind ray")
        if self.address and "@" in self.address:
            raise ValueError("engine.address takes no credentials")
        return self


HERE = Engine()
