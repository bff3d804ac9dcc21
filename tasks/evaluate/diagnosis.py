"""What is known of a model beyond its metrics, on one split: curves, calibration, slices, doubts.

It lies beside the predictions, for the report and for anyone else: `curves.parquet` (kind, class,
x, y), `label_errors.parquet` (one row per doubtful label) and `diagnosis.json` with the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from storage import atomic, digests, folders, manifests
from storage.errors import StorageDamaged
from storage.folders import CURVES, DIAGNOSIS, LABEL_ERRORS
from storage.references import SPLITS
from tasks.evaluate.confidence import PredictionSets, Threshold, prediction_sets, thresholds
from tasks.evaluate.curves import Bin, Curve, Predicted, calibration, precision_recall, roc
from tasks.evaluate.label_errors import Found
from tasks.evaluate.more_data import Expected, MoreData, OfClass, Point
from tasks.evaluate.shortcuts import Example, Shortcut
from tasks.evaluate.slices import Slice, slices

# Of a curve over hundreds of thousands of pictures no eye sees more; areas are of all points.
MOST_POINTS = 1001
VALIDATION = SPLITS[1]
ROC, PRECISION_RECALL = "roc", "precision_recall"


@dataclass(frozen=True)
class Diagnosis:
    """Of the predictions on `split`; label errors are looked for in all splits."""

    split: str
    roc: list[Curve]
    precision_recall: list[Curve]
    calibration: list[Bin]
    slices: list[Slice]
    label_errors: Found
    sets: PredictionSets | None = None
    shortcuts: Sequence[Shortcut] = ()
    thresholds: Sequence[Threshold] = ()
    more_data: MoreData | None = None

    @property
    def digest(self) -> str:
        """That of all it holds."""
        tables = [_curve_table(self), self.label_errors.candidates]
        return digests.of_value([_facts(self), *map(manifests.content_digest, tables)])


def diagnose(
    predictions: pd.DataFrame,
    split: pd.DataFrame,
    classes: list[str],
    doubts: Found,
    shortcuts: Sequence[Shortcut] = (),
    more: MoreData | None = None,
) -> Diagnosis:
    """The diagnosis on the last split that has predictions: test, where there is one.

    `predictions` is the table of all pictures, `split` the manifest of all groups; `doubts` and
    `shortcuts` are of all pictures, `more` is what more of them would give.
    """
    shown = [name for name in SPLITS if (predictions["split"] == name).any()][-1]
    table = predictions[predictions["split"] == shown].reset_index(drop=True)
    predicted = Predicted.of(table, classes)
    validation = _validation(predictions, shown, classes)
    return Diagnosis(
        split=shown,
        roc=[_thinned(one) for one in roc(predicted)],
        precision_recall=[_thinned(one) for one in precision_recall(predicted)],
        calibration=calibration(predicted),
        slices=slices(table, split),
        label_errors=doubts,
        sets=prediction_sets(validation, predicted) if validation else None,
        shortcuts=shortcuts,
        thresholds=thresholds(validation, predicted) if validation else (),
        more_data=more,
    )


def _validation(predictions: pd.DataFrame, shown: str, classes: list[str]) -> Predicted | None:
    """What sets thresholds for others; None where there are no others, or no validation."""
    table = predictions[predictions["split"] == VALIDATION]
    return None if shown == VALIDATION or table.empty else Predicted.of(table, classes)


def save(folder: Path, diagnosis: Diagnosis) -> None:
    """Write the diagnosis into an evaluation's folder."""
    atomic.write_json(folder / DIAGNOSIS, _facts(diagnosis))
    _curve_table(diagnosis).to_parquet(folder / CURVES, index=False)
    diagnosis.label_errors.candidates.to_parquet(folder / LABEL_ERRORS, index=False)


def load(folder: Path) -> Diagnosis:
    """What `save` wrote; StorageDamaged if it is torn."""
    facts = folders.read_json(folder / DIAGNOSIS)
    points = manifests.load(folder / CURVES)
    try:
        return Diagnosis(
            split=facts["split"],
            roc=_curves(points, ROC, facts["areas"][ROC]),
            precision_recall=_curves(points, PRECISION_RECALL, facts["areas"][PRECISION_RECALL]),
            calibration=[Bin(**one) for one in facts["calibration"]],
            slices=[Slice(**one) for one in facts["slices"]],
            label_errors=Found(manifests.load(folder / LABEL_ERRORS), facts["label_errors"]),
            sets=PredictionSets(**facts["sets"]) if facts["sets"] else None,
            shortcuts=[_shortcut(one) for one in facts["shortcuts"]],
            thresholds=[Threshold(**one) for one in facts["thresholds"]],
            more_data=_more_data(facts["more_data"]) if facts["more_data"] else None,
        )
    except (KeyError, TypeError) as error:
        raise StorageDamaged(
            f"expected a diagnosis in {folder / DIAGNOSIS}, found another thing ({error}): run the "
            "experiment again with --rerun evaluate"
        ) from error


def _shortcut(one: dict[str, Any]) -> Shortcut:
    return Shortcut(**one | {"examples": tuple(Example(*each) for each in one["examples"])})


def _thinned(curve: Curve) -> Curve:
    """The curve with its ends and at most MOST_POINTS points."""
    if len(curve.x) <= MOST_POINTS:
        return curve
    kept = np.unique(np.linspace(0, len(curve.x) - 1, MOST_POINTS).round().astype(int))
    return curve._replace(x=curve.x[kept], y=curve.y[kept])


def _facts(diagnosis: Diagnosis) -> dict[str, Any]:
    areas = {
        kind: {one.name: one.area for one in found} for kind, found in _by_kind(diagnosis).items()
    }
    return {
        "split": diagnosis.split,
        "areas": areas,
        "calibration": [one._asdict() for one in diagnosis.calibration],
        "slices": [one._asdict() for one in diagnosis.slices],
        "label_errors": diagnosis.label_errors.note,
        "sets": diagnosis.sets and diagnosis.sets._asdict(),
        "shortcuts": [one._asdict() for one in diagnosis.shortcuts],
        "thresholds": [one._asdict() for one in diagnosis.thresholds],
        "more_data": diagnosis.more_data and _plain(diagnosis.more_data),
    }


def _plain(more: MoreData) -> dict[str, Any]:
    parts = {name: [one._asdict() for one in getattr(more, name)] for name in ("points", "classes")}
    return more._asdict() | parts | {"expected": more.expected._asdict()}


def _more_data(facts: dict[str, Any]) -> MoreData:
    return MoreData(**facts)._replace(
        points=[Point(**one) for one in facts["points"]],
        classes=[OfClass(**one) for one in facts["classes"]],
        expected=Expected(**facts["expected"]),
    )


def _by_kind(diagnosis: Diagnosis) -> dict[str, list[Curve]]:
    return {ROC: diagnosis.roc, PRECISION_RECALL: diagnosis.precision_recall}


def _curve_table(diagnosis: Diagnosis) -> pd.DataFrame:
    parts = [
        pd.DataFrame({"kind": kind, "class": one.name, "x": one.x, "y": one.y})
        for kind, found in _by_kind(diagnosis).items()
        for one in found
    ]
    empty = pd.DataFrame({"kind": [], "class": [], "x": [], "y": []}, dtype=str)
    return pd.concat(parts, ignore_index=True) if parts else empty


def _curves(points: pd.DataFrame, kind: str, areas: dict[str, float]) -> list[Curve]:
    of_class = dict(iter(points[points["kind"] == kind].groupby("class", sort=False)))
    return [
        Curve(name, part["x"].to_numpy(float), part["y"].to_numpy(float), area)
        for name, area in areas.items()
        for part in [of_class[name]]
    ]
