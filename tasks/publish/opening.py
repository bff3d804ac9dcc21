"""What a run's references point to, opened for its report."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from storage import folders, ledgers, manifests
from storage.features import PIXELS, FeatureSpace
from storage.folders import METRICS, NETWORK, PREDICTIONS, TRAINING, TRIED
from storage.images import ImageStore
from storage.references import (
    EvaluationRef,
    FeaturesRef,
    ImagesRef,
    ModelRef,
    SplitRef,
)
from storage.statuses import Status
from storage.workspace import Workspace
from tasks.acquire.web.host_figures import HostFigures, by_host
from tasks.evaluate import diagnosis, parity
from tasks.evaluate.close_up import look as looks
from tasks.pictures.parameters import Augmentation, square_of
from tasks.publish.figures import augmentation_sheet, grad_cam_overlay
from tasks.publish.inputs import ReportInputs, Told
from tasks.publish.page import lookup


def opened(
    workspace: Workspace,
    experiment: str,
    run: str,
    when: str,
    *,
    images: ImagesRef,
    split: SplitRef,
    features: FeaturesRef,
    model: ModelRef,
    evaluation: EvaluationRef,
    **about: Any,
) -> ReportInputs:
    """The inputs of a report; `about` is passed on (figure, steps, parameters, …)."""
    folder = workspace.path(evaluation)
    for one in (folder, workspace.path(model)):
        folders.require_intact(one)
    rows = manifests.load(workspace.path(images))
    return ReportInputs(
        experiment=experiment,
        run=run,
        when=when,
        model=model.where,
        evaluation=evaluation.where,
        metrics=folders.read_json(folder / METRICS),
        diagnosis=diagnosis.load(folder),
        parity=parity.load(folder),
        training=folders.read_json(workspace.path(model) / TRAINING),
        predictions=manifests.load(folder / PREDICTIONS),
        rows=rows,
        split=manifests.load(workspace.path(split)),
        images=ImageStore(workspace.images),
        previous=lookup.earlier(workspace, experiment, evaluation.where),
        digests={
            "images": images.digest,
            "split": split.digest,
            "features": features.digest,
            "model": model.digest,
            "evaluation": evaluation.digest,
        },
        downloads=downloads_of(rows),
        hosts=hosts_of(workspace, rows),
        **about,
    )


def for_report(
    workspace: Workspace,
    experiment: str,
    run: str,
    when: str,
    *,
    augmentation: Augmentation | None,
    told: Told,
    **given: Any,
) -> ReportInputs:
    """What `opened` gives for the same words, and with it all that the report draws and tells."""
    split, features = given["split"], given["features"]
    return opened(
        workspace,
        experiment,
        run,
        when,
        augmented=_augmented(workspace, split, features, augmentation),
        copies=given["images"].copies,
        seconds=sum(step.seconds for step in told.steps) or None,
        **told._asdict(),
        **_looked_at(workspace, given["model"], given["evaluation"]),
        **given,
    )


def _looked_at(workspace: Workspace, model: ModelRef, evaluation: EvaluationRef) -> dict[str, Any]:
    """What the report draws of the model: its layers, and what the evaluation looked at closely."""
    looked = looks.load(workspace.path(evaluation))
    return {
        "look": looked,
        "heat_maps": grad_cam_overlay.overlays(ImageStore(workspace.images), looked.heat),
        "network": folders.read_json(workspace.path(model) / NETWORK),
        "tried": _tried(workspace.path(model) / TRIED),
    }


def _tried(path: Path) -> list[dict[str, Any]]:
    """The heads that were tried, the best first; none where none was chosen."""
    if not path.is_file():
        return []
    table = pd.read_csv(path).sort_values("log_loss", kind="stable")
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _augmented(
    workspace: Workspace,
    split: SplitRef,
    features: FeaturesRef,
    augmentation: Augmentation | None,
) -> list[np.ndarray]:
    if augmentation is None or not augmentation_sheet.changes(augmentation):
        return []
    space = FeatureSpace.load(workspace, features)
    channels = space.shape[-1] if space.backbone == PIXELS else 3
    table = manifests.load(workspace.path(split))
    images = ImageStore(workspace.images)
    square = square_of(space.image_size, space.resize)
    return augmentation_sheet.rows(images, table, augmentation, square, channels)


def downloads_of(rows: pd.DataFrame) -> dict[str, int]:
    """How many addresses ended how; empty for a source whose files have no address each."""
    if not _have_addresses(rows):
        return {}
    ended = rows["reason"].str.partition(":")[0].where(rows["status"] != Status.KEPT, "ok")
    return {str(status): int(count) for status, count in ended.value_counts().items()}


def hosts_of(workspace: Workspace, rows: pd.DataFrame) -> dict[str, HostFigures]:
    """How the busiest hosts answered; empty for a source whose files have no address each."""
    if not _have_addresses(rows) or not ledgers.is_there(workspace):
        return {}
    with ledgers.opened(workspace) as ledger:
        return by_host(ledger.rows(rows["source"].unique().tolist()).values())


def _have_addresses(rows: pd.DataFrame) -> bool:
    sources = rows["source"]
    return len(rows) > 0 and sources.nunique() > 1 and bool(sources.str.match("https?://").all())
