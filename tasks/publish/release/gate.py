"""The gate: whether a model may become the published one of its experiment."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from storage.errors import GateClosed
from tasks.evaluate.comparing import Paired, counted, difference, judged, lost, paired
from tasks.evaluate.metrics import METRICS, largest_class, of_one_answer
from tasks.evaluate.parameters import HeadlineMetric
from tasks.publish.parameters import Gate
from tasks.publish.wording import as_shown, as_words

FIRST = "Nothing was published before."
# Of fewer test pictures one more or less decides whether a model is better than one answer.
LEAST_PICTURES = 30
LOST = "The current model's predictions are gone: they cannot be compared."

BEGINNINGS = {
    "better": "Significantly better than the current model",
    "worse": "Significantly worse than the current model",
    "no different": "Not significantly different from the current model",
}


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
    metrics: Mapping[str, Any],
    first: bool = True,
    headline: HeadlineMetric = "accuracy",
) -> Judgement:
    """The gate on two predictions tables; not the `first`, a model without `current` lost its own.

    `metrics` are the candidate's of the test split, `headline` the one that it is judged by. A
    candidate without test pictures is never published. Where no test picture is shared, or the
    current model's predictions are lost, only floor and bounds count, and the findings say so.
    """
    if (candidate["split"] != "test").all():
        return Judgement(
            holds=False, findings=("There are no test pictures to judge by.",), pair=None
        )
    within, findings = _within(gate, metrics, headline)
    if current is None:
        return Judgement(within, (*findings, FIRST if first else LOST), None)
    kept, told = _kept(gate, candidate, current)
    within, findings = within and kept, [*findings, *told]
    pair = paired(candidate, current)
    if headline == "accuracy":
        not_worse, finding = _not_worse(gate, pair)
    else:
        not_worse, finding = _not_lower(gate, candidate, current, headline)
    return Judgement(within and not_worse, (*findings, finding), pair)


def require_bounds(
    gate: Gate, metrics: Mapping[str, Any], experiment: str, headline: HeadlineMetric = "accuracy"
) -> None:
    """GateClosed where a model that is published does not reach what was raised since."""
    within, findings = _within(gate, metrics, headline)
    if not within:
        raise GateClosed(
            f"the model of {experiment!r} is published, and would not be now: {' '.join(findings)} "
            "Take it back (darkroom report take-back), train another, or change publish.gate"
        )


def require(judgement: Judgement, experiment: str) -> None:
    """GateClosed unless the gate holds."""
    if not judgement.holds:
        raise GateClosed(
            f"the model of {experiment!r} is not published: {judgement.text} The current one "
            "stays: see the report, or change publish.gate if it asks for too much"
        )


def _within(
    gate: Gate, metrics: Mapping[str, Any], headline: HeadlineMetric
) -> tuple[bool, list[str]]:
    """Whether the published repeat's test metrics keep to the bounds; a sentence for each."""
    figure, title = metrics[headline]["published"], as_words(METRICS[headline].title)
    above = figure >= gate.floor
    reaches = "reaches" if above else "is below"
    findings = [f"Test {title} {figure:.1%} {reaches} the floor of {gate.floor:.1%}."]
    _, pictures, _ = largest_class(metrics["confusion"])
    best = of_one_answer(metrics["confusion"], headline)
    if figure <= best and not gate.floor and pictures >= LEAST_PICTURES:
        above = False
        findings.append(
            f"Always giving the same answer would reach {best:.1%}: a model that is "
            "no better is published only if publish.gate.floor is set."
        )
    for name, bound in gate.bounds.items():
        metric, value = METRICS[name], metrics.get(name, {}).get("published")
        if value is None:
            kept, word = False, "is unknown, which is not within"
        elif metric.higher_is_better:
            kept, word = value >= bound, "reaches" if value >= bound else "is below"
        else:
            kept, word = value <= bound, "keeps to" if value <= bound else "is above"
        shown = "" if value is None else f" {as_shown(metric, value)}"
        findings.append(f"Test {metric.title}{shown} {word} the bound of {bound:g}.")
        above = above and kept
    return above, findings


def _kept(gate: Gate, candidate: pd.DataFrame, current: pd.DataFrame) -> tuple[bool, list[str]]:
    """Whether no class and few pictures were lost since the current model, and what was."""
    found = lost(candidate, current)
    told = [*found.reasons("current"), *([found.gained] if found.gained else [])]
    if not found.any:
        return True, told
    if gate.accept_loss:
        return True, [*told, "That is accepted (publish.gate.accept_loss)."]
    return False, [*told, "If that is meant, set publish.gate.accept_loss=true."]


def _not_worse(gate: Gate, pair: Paired | None) -> tuple[bool, str]:
    if pair is None:
        return True, "It shares no test picture with the current model: they cannot be compared."
    how = judged(pair, gate.significance)
    return how != "worse", f"{BEGINNINGS[how]}. {counted(pair, 'the new model', 'the current one')}"


def _not_lower(
    gate: Gate, candidate: pd.DataFrame, current: pd.DataFrame, headline: HeadlineMetric
) -> tuple[bool, str]:
    found = difference(candidate, current, headline, gate.significance)
    if found is None:
        return _not_worse(gate, None)
    return found.how != "worse", (
        f"{BEGINNINGS[found.how]}: on the {found.pictures} test pictures that both share, "
        f"{as_words(METRICS[headline].title)} changes by {100 * found.mean:+.1f} points "
        f"({100 * found.low:+.1f} to {100 * found.high:+.1f} by bootstrap)."
    )
