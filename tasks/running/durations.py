"""How long a step may take, from the records of earlier ones on this machine."""

from collections.abc import Iterable, Mapping
from typing import Any

from storage import records
from storage.workspace import Workspace

# What decides how long a step takes for each picture, by the beginning of its parameters' names.
TIED_TO = {
    "clean": ("looking.", "parameters.copies"),
    "extract": ("model.",),
    "train": ("model.", "training."),
    "evaluate": (),
}
# Less is not worth a word, and from fewer pictures nothing can be said.
SHORTEST_SECONDS, FEWEST_PICTURES = 5.0, 50


def pictures_of(inputs: Iterable[Any]) -> int:
    """How many pictures a step is given, by its references; 0 where none says."""
    counts = [0]
    for one in inputs:
        counts.append(getattr(one, "images", 0))
        counts.append(sum(getattr(one, name, 0) for name in ("train", "validation", "test")))
    return max(counts)


def at_most(
    workspace: Workspace, step: str, parts: Mapping[str, str], pictures: int
) -> float | None:
    """Seconds that the step takes if none of its pictures is known; None where nothing tells.

    Time grows with the pictures; of the runs that did the same, the slowest counts: others knew
    some of theirs.
    """
    if step not in TIED_TO or not pictures:
        return None
    rates = [
        one.seconds / one.pictures
        for one in records.executions(workspace, step)
        if one.pictures >= FEWEST_PICTURES and _tied(one.parts, step) == _tied(parts, step)
    ]
    return max(rates) * pictures if rates else None


def _tied(parts: Mapping[str, str], step: str) -> dict[str, str]:
    return {name: text for name, text in parts.items() if name.startswith(TIED_TO[step])}


def duration(seconds: float) -> str:
    """About how long, as people say it: 40 s, 3 min, 2 h."""
    if seconds < 90:
        return f"{max(5, round(seconds / 5) * 5)} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{round(seconds / 3600)} h"
