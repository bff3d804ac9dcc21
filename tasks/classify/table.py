"""Predictions as a table for other programs: CSV or Parquet, told by the file's suffix."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from storage import atomic
from tasks.classify.output_files import CSV
from tasks.classify.predictions import Prediction
from tasks.evaluate.predictions_table import PROBABILITY

# What makes a spreadsheet take a cell for a formula (OWASP, "CSV Injection").
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001
DOUBTS = ["unknown", "familiarity", "held"]
TEXTS = ("image", "label", "reason", "trained_on", "unknown", "held")


def write(path: Path, predictions: Sequence[Prediction], classes: Sequence[str]) -> Path:
    """image, label, probability, reason, `probability_<class>` for each class, and trained_on.

    `trained_on` is `same file` or `copy` where the model was trained on the picture. Where answers
    are doubted, also unknown, familiarity, and the classes held, one per line. What could not be
    read has a reason and no probabilities. In a CSV a name or label that a spreadsheet would
    take for a formula begins with an apostrophe.
    """
    columns = [f"{PROBABILITY}{one}" for one in classes]
    names = ["image", "label", "probability", "reason", *columns, "trained_on"]
    doubted = any(one.held is not None for one in predictions)
    names += DOUBTS if doubted else []
    rows = [_row(prediction, len(classes), doubted=doubted) for prediction in predictions]
    if path.suffix.lower() == CSV:
        return atomic.write_file(path, lambda temporary: _write_csv(temporary, names, rows))
    return atomic.write_file(path, lambda temporary: _write_parquet(temporary, names, rows))


def _row(prediction: Prediction, classes: int, *, doubted: bool) -> list[Any]:
    unknown = "" if prediction.held is None else str(prediction.unknown).lower()
    doubts = [unknown, prediction.familiarity, "\n".join(prediction.held or ())]
    probabilities = prediction.probabilities or (None,) * classes
    return [
        prediction.name,
        prediction.label,
        prediction.probability,
        prediction.reason,
        *probabilities,
        prediction.trained_on,
        *(doubts if doubted else []),
    ]


def _write_csv(path: Path, names: list[str], rows: list[list[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(names)
        writer.writerows([_harmless(cell) for cell in row] for row in rows)


def _harmless(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def _write_parquet(path: Path, names: list[str], rows: list[list[Any]]) -> None:
    import pandas as pd

    types = {name: float for name in names if name not in TEXTS}
    table = pd.DataFrame(rows, columns=names).astype(types)
    table.to_parquet(path, index=False)
