"""The gate: whether a model may become the published one of its experiment."""

from typing import NamedTuple

import pandas as pd

from storage.errors import GateClosed
from tasks.evaluate.mcnemar import Paired, counted, judged, paired
from tasks.publish.parameters import Gate

FIRST = "Nothing was published before."
LOST = "The current model's predictions are gone: they cannot be compared."


class Judgement(NamedTuple):
    """Whether the gate holds; `findings` are sentences, each a reason for or against."""

    holds: bool
    findings: tuple[str, ...]
    pair: Paired | None

    @property
    def text(self) -> str:
        """All findings as one paragraph."""
        return " ".join(self.findings)


def judge(
    gate: Gate,
    candidate: pd.DataFrame,
    current: pd.DataFrame | None = None,
    *,
    first: bool = True,
) -> Judgement:
    """The gate on two predictions tables; not the `first`, a model without `current` lost its own.

    A candidate without test pictures is never published. Where no test picture is shared, or the
    current model's predictions are lost, only the floor counts, and the findings say so.
    """
    tested = candidate[candidate["split"] == "test"]
    if tested.empty:
        return Judgement(
            holds=False, findings=("There are no test pictures to judge by.",), pair=None
        )
    above, floor = _above_floor(gate, float(tested["correct"].mean()))
    if current is None:
        return Judgement(above, (floor, FIRST if first else LOST), None)
    pair = paired(candidate, current)
    not_worse, finding = _not_worse(gate, pair)
    return Judgement(above and not_worse, (floor, finding), pair)


def require_floor(gate: Gate, accuracy: float, experiment: str) -> None:
    """GateClosed where a model that is published does not reach a floor that was raised."""
    above, floor = _above_floor(gate, accuracy)
    if not above:
        raise GateClosed(
            f"the model of {experiment!r} is published, and would not be now: {floor} Take it back "
            "(darkroom report take-back), train another, or lower publish.gate.floor"
        )


def require(judgement: Judgement, experiment: str) -> None:
    """GateClosed unless the gate holds."""
    if not judgement.holds:
        raise GateClosed(
            f"the model of {experiment!r} is not published: {judgement.text} The current one "
            "stays: see the report, or change publish.gate if it asks for too much"
        )


def _above_floor(gate: Gate, accuracy: float) -> tuple[bool, str]:
    if accuracy >= gate.floor:
        return True, f"Test accuracy {accuracy:.1%} reaches the floor of {gate.floor:.1%}."
    return False, f"Test accuracy {accuracy:.1%} is below the floor of {gate.floor:.1%}."


def _not_worse(gate: Gate, pair: Paired | None) -> tuple[bool, str]:
    if pair is None:
        return True, "It shares no test picture with the current model: they cannot be compared."
    how = judged(pair, gate.significance)
    beginning = {
        "better": "Significantly better than the current model.",
        "worse": "Significantly worse than the current model.",
        "no different": "Not significantly different from the current model.",
    }[how]
    return how != "worse", f"{beginning} {counted(pair, 'the new model', 'the current one')}"
