"""The step `evaluate`: a model and features go in, predictions and metrics come out."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from prefect import task

from storage import atomic, digests, folders, manifests
from storage.features import FeatureTable
from storage.layout import METRICS, PREDICTIONS, TRAINING, part_path
from storage.references import SPLITS, EvaluationRef, FeaturesRef, ModelRef, SplitRef
from storage.workspace import Workspace
from tasks.caching import BY_CONTENT
from tasks.evaluate import chosen, looking, metrics, tables
from tasks.evaluate import look as looks
from tasks.evaluate.look import Look, Looked
from tasks.evaluate.predict import averaged
from tasks.extract.views import named
from tasks.tensorflow import load_keras

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@task(name="evaluate", cache_policy=BY_CONTENT)
def evaluate(
    split: SplitRef, features: FeaturesRef, model: ModelRef, look: Look = Look()
) -> EvaluationRef:
    """Predictions of every repeat on every split; the table holds those of the published one.

    Beside them lies what the report looks at closely: feature maps and Grad-CAM.
    """
    workspace = Workspace.current()
    table = manifests.load(workspace.root / split.where)
    table = table[table["split"].isin(SPLITS)].reset_index(drop=True)
    folder = workspace.root / model.where
    # Before the work that takes longer: a layer that does not exist shows here.
    picture = chosen.picture(table, look.picture)
    maps = looking.maps_of(workspace, folder, look.layer, picture)
    views = _views(workspace, table, features)
    repeats = _predicted(folder, model, views, len(table), features.shape)
    published = folders.read_json(folder / TRAINING)["published_repeat"]
    predictions = tables.predictions(table, repeats[published], model.classes)
    result = _metrics(table, repeats, published, model.classes)
    heat = looking.heat_of(folder, published, views[0], features.shape, predictions, model.classes)
    return _save(workspace, predictions, result, Looked(picture, maps, heat))


def _views(workspace: Workspace, table: "pd.DataFrame", features: FeaturesRef) -> list[Any]:
    """For each view whose predictions are averaged, a function from positions to rows."""
    return [
        FeatureTable.of(workspace, features, [named(image, view) for image in table["image"]]).rows
        for view in features.averaged
    ]


def _predicted(
    folder: Path, model: ModelRef, views: list[Any], count: int, shape: tuple[int, ...]
) -> "list[np.ndarray]":
    """(count, classes) of each repeat."""
    load_model = load_keras().saving.load_model
    parts = (load_model(part_path(folder, repeat)) for repeat in range(model.repeats))
    return [averaged(part, views, count, shape) for part in parts]


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
    workspace: Workspace, predictions: "pd.DataFrame", result: dict[str, Any], looked: Looked
) -> EvaluationRef:
    digest = digests.of_value([manifests.content_digest(predictions), result, looked.digest])
    target = workspace.evaluations / digest
    with atomic.new_folder(target, keep_whole=True) as folder:
        predictions.to_parquet(folder / PREDICTIONS, index=False)
        atomic.write_json(folder / METRICS, result)
        looks.save(folder, looked)
        folders.seal(folder)
    return EvaluationRef(digest=digest, where=workspace.relative(target), images=len(predictions))
