"""What became of a step in one run, as the terminal, `--json` and the report tell it."""

from pydantic import BaseModel, Field


class StepOutcome(BaseModel):
    """What became of one step."""

    name: str = Field(description="The step.")
    state: str = Field(
        description="`executed` or `cached`; foretold: `run`, `cached`, or `depends`, where that "
        "is known only once an earlier step has run."
    )
    seconds: float = Field(0.0, description="How long it took.")
    why: str = Field(description="What changed, in words.")
