"""What a server answers: the shapes of its JSON, and which code means what."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tasks.serve.limits import Limits
from tasks.serve.request_bodies import FIELD, FORM

EXAMPLE: dict[str, Any] = {
    "label": "dog",
    "probability": 0.973,
    "probabilities": {"cat": 0.027, "dog": 0.973},
}
REFUSED: dict[str, Any] = {"detail": "truncated: the JPEG ends before its end mark"}


State = Literal["loading", "ready", "busy"]


class Prediction(BaseModel):
    """What the model says of one picture."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    label: str = Field(description="The most probable class.")
    probability: float = Field(description="The probability of that class, 0 to 1.")
    probabilities: dict[str, float] = Field(description="Class name to probability; they sum to 1.")


class Doubted(Prediction):
    """What `darkroom serve --doubt` says of one picture."""

    held: list[str] = Field(
        description="The classes that the picture may be of: nine times in ten the true one is "
        "among them. Empty where the model is not sure enough of any."
    )
    familiarity: float = Field(
        description="How much the picture is like those that the model was trained on."
    )
    unknown: bool = Field(description="Whether it is like none of them: then no class may fit.")


class Refusal(BaseModel):
    """Why there is no answer, and what would help."""

    model_config = ConfigDict(json_schema_extra={"examples": [REFUSED]})

    detail: str = Field(description="One sentence in plain English.")


class Health(BaseModel):
    """Whether another request would be taken."""

    ready: bool = Field(description="True: send requests. False: wait, or ask another server.")
    state: State = Field(description="Why it is not ready: the model is loading, or all is busy.")
    waiting: int = Field(description="Requests being read, waiting or being answered.")


class Card(BaseModel):
    """What the model is."""

    classes: list[str] = Field(description="Class names, in the order of the model's columns.")
    side: int = Field(description="Pictures of any size are resized to this many pixels a side.")
    card: str = Field(description="The model card, as Markdown.")


def described(limits: Limits) -> str:
    """The API's description, on its page."""
    return (
        "Send a picture, get the probability of each class. Every refusal is JSON with a `detail`; "
        "an address that does not exist is 404, a method that it does not have 405 with `Allow`, "
        "a request that is not HTTP 400 in plain text.\n\n"
        f"Limits: {limits.max_bytes:,} bytes and {limits.pictures} pictures a request, "
        f"{limits.max_pixels:,} pixels a picture, {limits.upload_seconds:g} s to send them and "
        f"{limits.slowest:,} bytes a second, {limits.working} requests worked on and "
        f"{limits.waiting:,} waiting at a time."
    )


def predict_codes(limits: Limits) -> dict[int | str, dict[str, Any]]:
    """Each code that POST /predict may answer, for its OpenAPI description."""
    seconds, waiting = f"{limits.upload_seconds:g} s", limits.waiting
    size, pixels = f"{limits.max_bytes:,} bytes", f"{limits.max_pixels:,} pixels"
    return {
        200: PREDICTED,
        400: _refused(
            "The body is no form with files, or ended early.",
            f"expected one or more files in the field `{FIELD}`, found none",
        ),
        408: _refused(
            f"The body did not arrive within {seconds}, or too slowly.",
            f"expected the whole body within {seconds}, and at least {limits.slowest:,} bytes a "
            "second; send it faster",
        ),
        413: _refused(
            f"The body has more than {size}.",
            f"the body is larger than {size}: send smaller or fewer pictures",
        ),
        415: _refused(
            f"The body is neither `{FORM}` nor `image/*`, or has a Content-Encoding.",
            "expected a body without Content-Encoding",
        ),
        421: _refused(
            "The Host header names another server (see `--allow-host`).",
            "expected a name of this server as Host, found 'elsewhere.example': --allow-host "
            "allows it",
        ),
        422: _refused(
            "None of the pictures can be used: no picture, damaged, cut off, or more than "
            f"{pixels}.",
            "truncated: the JPEG ends before its end mark",
        ),
        500: _refused("The model failed on this picture.", "the model failed on this picture"),
        503: _refused(
            f"{waiting} requests are waiting already, too much is being sent, a turn did not come "
            f"within {limits.queue_seconds:g} s, or the model is being loaded.",
            f"{waiting} requests are waiting: try again later",
        )
        | {"headers": RETRY_AFTER},
    }


def health_codes(limits: Limits) -> dict[int | str, dict[str, Any]]:
    """Each code that GET /health may answer beside 200."""
    return {
        503: {
            "model": Health,
            "description": f"{limits.waiting} requests are waiting, or the model is being loaded.",
            "headers": RETRY_AFTER,
        }
    }


def _refused(text: str, example: str) -> dict[str, Any]:
    content = {"application/json": {"example": {"detail": example}}}
    return {"model": Refusal, "description": text, "content": content}


RETRY_AFTER = {
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
}
PREDICTED: dict[str, Any] = {
    "description": "What the model says: an object for one picture, a list for several.",
    "content": {
        "application/json": {
            "examples": {
                "one picture": {"value": EXAMPLE},
                "several, one of them unusable": {"value": [EXAMPLE, REFUSED]},
            }
        }
    },
}
PICTURE = {"type": "string", "format": "binary"}
PREDICT_BODY = {
    "requestBody": {
        "required": True,
        "description": "One or several pictures as a form, or one picture as the body itself.",
        "content": {
            FORM: {
                "schema": {
                    "type": "object",
                    "required": [FIELD],
                    "properties": {FIELD: {"type": "array", "minItems": 1, "items": PICTURE}},
                }
            },
            "image/*": {"schema": PICTURE},
        },
    }
}
CARD_TEXT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Markdown; JSON where the request's `Accept` names `application/json`.",
        "model": Card,
        "content": {"text/plain": {"schema": {"type": "string"}, "example": "# Model card\n"}},
    }
}
