"""The step `evaluate`: a model and features go in, predictions and metrics come out."""

from typing import TYPE_CHECKING, Any

from prefect import task

from storage import atomic, digests, folders, manifests
from storage.features import FeatureTable
from storage.layout import METRICS, PREDICTIONS, TRAINING, head_path
from storage.references import SPLITS, EvaluationRef, FeaturesRef, ModelRef, SplitRef
from storage.workspace import Workspace
from tasks.caching import BY_CONTENT
from tasks.evaluate import metrics, tables
from tasks.evaluate.predict import probabilities
from tasks.tensorflow import load_keras

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@task(name="evaluate", cache_policy=BY_CONTENT)
def evaluate(split: SplitRef, features: FeaturesRef, model: ModelRef) -> EvaluationRef:
    """Predictions of every repeat on every split; the table holds those of the published one."""
    workspace = Workspace.current()
    table = manifests.load(workspace.root / split.where)
    table = table[table["split"].isin(SPLITS)].reset_index(drop=True)
    folder = workspace.root / model.where
    repeats = _predicted(workspace, table, features, model)
    published = folders.read_json(folder / TRAINING)["published_repeat"]
    predictions = tables.predictions(table, repeats[published], model.classes)
    result = _metrics(table, repeats, published, model.classes)
    return _save(workspace, predictions, result)


def _predicted(
    workspace: Workspace, table: "pd.DataFrame", features: FeaturesRef, model: ModelRef
) -> "list[np.ndarray]":
    rows = FeatureTable.of(workspace, features, table["image"].tolist()).rows
    load_model = load_keras().saving.load_model
    heads = (
        load_model(head_path(workspace.root / model.where, repeat))
        for repeat in range(model.repeats)
    )
    return [probabilities(head, rows, len(table), features.shape) for head in heads]


def _metrics(
    table: "pd.DataFrame",
    repeats: "list[np.ndarray]",
    published: int,
    classes: tuple[str, ...],
) -> dict[str, Any]:
    result: dict[str, Any] = {"classes": list(classes)}
    numbers = table["label"].map({name: number for number, name in enumerate(classes)}).to_numpy()
    for split in SPLITS:
        rows = (table["split"] == split).to_numpy()
        if rows.any():
            each = [metrics.of_predictions(numbers[rows], p[rows], list(classes)) for p in repeats]
            result[split] = metrics.summary(each, published, int(rows.sum()))
    return result


def _save(
    workspace: Workspace, predictions: "pd.DataFrame", result: dict[str, Any]
) -> EvaluationRef:
    digest = digests.of_value([manifests.content_digest(predictions), result])
    target = workspace.evaluations / digest
    with atomic.new_folder(target, keep_whole=True) as folder:
        predictions.to_parquet(folder / PREDICTIONS, index=False)
        atomic.write_json(folder / METRICS, result)
        folders.seal(folder)
    return EvaluationRef(digest=digest, where=workspace.relative(target), images=len(predictions))
