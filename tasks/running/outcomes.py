"""What became of a step in one run, as the terminal, `--json` and the report tell it."""

from pydantic import BaseModel


class StepOutcome(BaseModel):
    """`executed` or `cached`; foretold: `run`, `cached` or `depends`; `why` is for people."""

    name: str
    state: str
    seconds: float = 0.0
    why: str
