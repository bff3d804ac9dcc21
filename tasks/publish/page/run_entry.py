"""What other pages need to know of a run: run.json beside its report."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage import digests, folders
from storage.errors import StorageDamaged
from storage.layout import METRICS, RUN
from storage.references import SPLITS
from tasks.publish.inputs import TEST, ReportInputs
from tasks.publish.page import headline, reproducing

if TYPE_CHECKING:
    import pandas as pd

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
        "model": inputs.model,
        "evaluation": inputs.evaluation,
        # Without the confusion matrix: of many classes it is megabytes, and the index reads all.
        "splits": {
            name: {key: value for key, value in inputs.metrics[name].items() if key != "confusion"}
            for name in inputs.splits
        },
        "figure": inputs.figure.model_dump(mode="json") if inputs.figure else None,
        "parameters": reproducing.flat(inputs.parameters),
        "pictures": pictures,
        "correct": correct,
    }


def answers(predictions: "pd.DataFrame") -> tuple[str, str]:
    """Digest of the test pictures, and one bit for each in their order: right or wrong, as hex."""
    import numpy as np

    tested = predictions[predictions["split"] == TEST].sort_values("image")
    if tested.empty:
        return "", ""
    bits = np.packbits(tested["correct"].to_numpy(bool)).tobytes()
    return digests.of_value(tested["image"].tolist())[:16], bits.hex()


def of_folder(folder: Path) -> Entry | None:
    """The entry of a report's folder, made from its metrics where run.json is missing.

    None where neither can be read, or what they hold is no run.
    """
    try:
        if (folder / RUN).exists():
            found = dict(folders.read_json(folder / RUN))
        else:
            found = _from_metrics(folder.name, folders.read_json(folder / METRICS))
        datetime.fromisoformat(found["when"])
    except (StorageDamaged, KeyError, TypeError, ValueError):
        return None
    return found if found["splits"] and found.keys() >= KEYS else None


def _from_metrics(run: str, metrics: dict[str, Any]) -> Entry:
    return {
        "experiment": metrics["experiment"],
        "run": run,
        "when": metrics["when"],
        "model": metrics.get("model", ""),
        "splits": {name: metrics[name] for name in SPLITS if name in metrics},
        **dict.fromkeys(("sentence", "evaluation", "pictures", "correct"), ""),
        **dict.fromkeys(("seconds", "figure")),
        "parameters": {},
    }
