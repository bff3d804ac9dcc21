"""The step `evaluate`: a model and features go in, predictions and metrics come out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from storage import atomic, digests, folders, manifests
from storage.features import FeatureTable
from storage.folders import METRICS, PREDICTIONS, TRAINING, part_path
from storage.images import ImageStore
from storage.references import SPLITS, EvaluationRef, FeaturesRef, ModelRef, SplitRef
from storage.workspace import Workspace
from tasks.evaluate import (
    diagnosis,
    label_errors,
    metrics,
    more_data,
    parity,
    predictions_table,
    shortcuts,
)
from tasks.evaluate.close_up import inspection, neighbours, selection
from tasks.evaluate.close_up import look as looks
from tasks.evaluate.close_up.look import Looked
from tasks.evaluate.diagnosis import Diagnosis
from tasks.evaluate.parameters import Look
from tasks.evaluate.parity import Parity
from tasks.pictures.views import named
from tasks.running.steps import step
from tasks.running.tensorflow import load_keras
from tasks.train.model_folder import unseen
from tasks.train.predict import averaged


@step()
def evaluate(
    split: SplitRef, features: FeaturesRef, model: ModelRef, look: Look = Look()
) -> EvaluationRef:
    """Predictions of every repeat on every split; the table holds those of the published one.

    Beside them lies what else is known of the model: curves, calibration, slices, doubtful labels,
    and what is looked at closely, feature maps and Grad-CAM.
    """
    workspace = Workspace.current()
    groups = manifests.load(workspace.path(split))
    table = groups[groups["split"].isin(SPLITS)].reset_index(drop=True)
    folder = workspace.path(model)
    folders.require_intact(folder)
    # Before the work that takes longer: a layer that does not exist shows here.
    picture = selection.picture(table, look.picture)
    maps = inspection.maps_of(workspace, folder, look.layer, picture)
    views = _views(workspace, table, features)
    published = folders.read_json(folder / TRAINING)["published_repeat"]
    found = []
    held_out = (table["split"] == "validation").to_numpy()
    for repeat, said in enumerate(_predicted(folder, model, views, len(table), features)):
        probabilities = unseen.instead(folder, held_out, said)
        # Of the others their numbers are enough: all probabilities at once may be gigabytes.
        found.append(_measured(table, probabilities, model.classes))
        if repeat == published:
            predictions = predictions_table.predictions(table, probabilities, model.classes)
    result = _summary(table, found, published, model.classes)
    heat = inspection.heat_of(
        folder, published, views[0], features.shape, predictions, model.classes
    )
    alike = neighbours.neighbours(workspace, table, features, selection.looked_at(predictions))
    doubts = label_errors.among(workspace, table, features, list(split.classes))
    told = shortcuts.shortcuts(ImageStore(workspace.images), table)
    more = more_data.among(workspace, table, features, list(model.classes))
    known = diagnosis.diagnose(predictions, groups, list(model.classes), doubts, told, more)
    agreed = parity.of(workspace, folder, predictions, known.split, list(model.classes))
    return _save(workspace, predictions, result, Looked(picture, maps, heat, alike), known, agreed)


def _views(workspace: Workspace, table: pd.DataFrame, features: FeaturesRef) -> list[Any]:
    """For each view whose predictions are averaged, a function from positions to rows."""
    return [
        FeatureTable.of(workspace, features, [named(image, view) for image in table["image"]]).rows
        for view in features.averaged
    ]


def _predicted(
    folder: Path, model: ModelRef, views: list[Any], count: int, features: FeaturesRef
) -> Iterator[np.ndarray]:
    """(count, classes) of each repeat, one after the other."""
    load_model = load_keras().saving.load_model
    for repeat in range(model.repeats):
        yield averaged(load_model(part_path(folder, repeat)), views, count, features.shape)


def _measured(
    table: pd.DataFrame, probabilities: np.ndarray, classes: tuple[str, ...]
) -> dict[str, Any]:
    """The metrics of one repeat on each split that has pictures."""
    numbers = table["label"].map({name: number for number, name in enumerate(classes)}).to_numpy()
    found = {}
    for split in SPLITS:
        rows = (table["split"] == split).to_numpy()
        if rows.any():
            found[split] = metrics.of_predictions(numbers[rows], probabilities[rows], list(classes))
    return found


def _summary(
    table: pd.DataFrame, repeats: list[dict[str, Any]], published: int, classes: tuple[str, ...]
) -> dict[str, Any]:
    counts = table["split"].value_counts()
    return {"classes": list(classes)} | {
        split: metrics.summary([one[split] for one in repeats], published, int(counts[split]))
        for split in repeats[0]
    }


def _save(
    workspace: Workspace,
    predictions: pd.DataFrame,
    result: dict[str, Any],
    looked: Looked,
    known: Diagnosis,
    agreed: Parity,
) -> EvaluationRef:
    table = manifests.content_digest(predictions)
    digest = digests.of_value([table, result, looked.digest, known.digest])
    target = workspace.evaluations / digest
    with folders.new_folder(target, keep_whole=True) as folder:
        manifests.write(predictions, folder / PREDICTIONS)
        atomic.write_json(folder / METRICS, result)
        looks.save(folder, looked)
        diagnosis.save(folder, known)
        parity.save(folder, agreed)
        folders.seal(folder)
    return EvaluationRef(digest=digest, where=workspace.relative(target), images=len(predictions))
