"""Why a step runs: what changed since its last run in this experiment, in words."""

from storage.records import Record
from tasks.running.steps import CODE

FIRST_RUN = "first run"
UNCHANGED = "nothing changed"
ASKED = "asked for with rerun"
NOT_WHOLE = "its result is no longer there, or no longer whole"
UNLESS = "runs, unless exactly this was computed before"
# What a step is given, in words: who reads `images changed` thinks of a parameter.
GIVEN = {
    "fingerprint": "the source",
    "collection": "the source's pictures",
    "images": "the usable pictures",
    "previous": "the split before this one",
    "split": "the split",
    "features": "the features",
    "model": "the model",
    "evaluation": "the evaluation",
    "remarks": "what is said of the pictures",
}


def reason(parts: dict[str, str], key: str, previous: Record | None) -> str:
    """What differs from `previous`, the record of the step's last run in this experiment."""
    if previous is None:
        return FIRST_RUN
    if previous.key == key:
        return NOT_WHOLE
    before = previous.parts
    changed = [name for name in parts | before if parts.get(name) != before.get(name)]
    return "; ".join(_change(name, before.get(name), parts.get(name)) for name in changed)


def _change(name: str, before: str | None, after: str | None) -> str:
    if name == CODE:
        return "its code changed"
    if any(len(text or "") > 40 for text in (before, after)):
        return f"{GIVEN.get(name, name)} changed"
    return f"{name}: {before or 'not set'} -> {after or 'not set'}"
