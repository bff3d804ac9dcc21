"""What all groups of parameters share."""

from pydantic import BaseModel, ConfigDict


class Parameters(BaseModel):
    """A validated group: unknown fields are errors, values do not change."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
