"""What other pages need to know of a run: run.json beside its report."""

from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd

from storage import digests, folders
from storage.errors import StorageDamaged
from storage.folders import RUN
from tasks.evaluate.metrics import METRICS
from tasks.evaluate.parameters import HeadlineMetric
from tasks.publish.inputs import TEST, ReportInputs
from tasks.publish.page import headline, reproducing
from tasks.publish.wording import as_words

KEYS = frozenset(
    {"experiment", "run", "when", "model", "splits", "sentence", "evaluation", "pictures",
     "correct", "seconds", "figure", "parameters"}
)  # fmt: skip
Entry = dict[str, Any]


def entry(inputs: ReportInputs) -> Entry:
    """The run's numbers and settings, and which test pictures it got right."""
    pictures, correct = answers(inputs.predictions)
    return {
        "experiment": inputs.experiment,
        "run": inputs.run,
        "when": inputs.when,
        "seconds": inputs.seconds,
        "sentence": headline.sentence(inputs),
        "headline": inputs.leading,
        "model": inputs.model,
        "evaluation": inputs.evaluation,
        # Without the confusion matrix: of many classes it is megabytes, and the index reads all.
        "splits": {
            name: {key: value for key, value in inputs.metrics[name].items() if key != "confusion"}
            for name in inputs.splits
        },
        "figure": inputs.figure.model_dump(mode="json") if inputs.figure else None,
        "parameters": reproducing.flat(inputs.parameters),
        "command": inputs.command,
        "pictures": pictures,
        "correct": correct,
    }


def leading(one: Entry) -> str:
    """The metric that leads a run's report; of one made before there was a choice, accuracy."""
    found = str(one.get("headline"))
    return found if found in get_args(HeadlineMetric) else "accuracy"


def figure_of(one: Entry) -> tuple[str, str, dict[str, Any]]:
    """What leads a run's report: the split, the metric's title in words, and its figures."""
    split, name = list(one["splits"])[-1], leading(one)
    return split, as_words(METRICS[name].title), one["splits"][split][name]


def answers(predictions: pd.DataFrame) -> tuple[str, str]:
    """Digest of the test pictures, and one bit for each in their order: right or wrong, as hex.

    Of the same pictures under other labels the digest is another: their bits say other things.
    """
    tested = predictions[predictions["split"] == TEST].sort_values("image")
    if tested.empty:
        return "", ""
    bits = np.packbits(tested["correct"].to_numpy(bool)).tobytes()
    both = [tested["image"].tolist(), tested["label"].tolist()]
    return digests.of_value(both)[:16], bits.hex()


def of_folder(folder: Path) -> Entry | None:
    """The entry of a report's folder; None where it cannot be read, or is no run's."""
    try:
        found = dict(folders.read_json(folder / RUN))
        datetime.fromisoformat(found["when"])
    except (StorageDamaged, KeyError, TypeError, ValueError):
        return None
    return found if found["splits"] and found.keys() >= KEYS else None


def changes(before: Entry, after: Entry) -> list[tuple[str, str, str]]:
    """The parameters in which two runs differ: name, value before, value after."""
    first, second = before["parameters"], after["parameters"]
    return [
        (name, first.get(name, "not set"), second.get(name, "not set"))
        for name in dict.fromkeys([*first, *second])
        if first.get(name) != second.get(name)
    ]
