"""Which file a model's name stands for."""

import os
from pathlib import Path

from storage import atomic, elsewhere, folders, publications, records
from storage.errors import ParameterError
from storage.folders import LATEST, METRICS, MODEL
from storage.names import as_file_name
from storage.workspace import Workspace


def model_file(model: str) -> Path:
    """The `.keras` file that `model` names: a file, a model's folder, or an experiment.

    Of an experiment it is the published model; the latest while none has been published.
    """
    path = Path(model)
    for candidate in (path, path / MODEL):
        if os.path.isfile(candidate):  # noqa: PTH113 - no path at all is no file, and no error
            return candidate
    workspace = Workspace.current()
    elsewhere.exchange_pointers(workspace)
    standing = publications.looked_up(workspace, model)
    if standing is not None:
        return workspace.root / standing.model / MODEL
    latest = atomic.led_to(workspace.reports / as_file_name(model) / LATEST) / METRICS
    if latest.is_file():
        return workspace.root / str(folders.read_json(latest)["model"]) / MODEL
    raise ParameterError(
        f"no model at {model}: expected a {MODEL}, a folder that holds one, or the name of an "
        "experiment that has been run (see `darkroom experiments`)"
    )


def training_split(model_file: Path) -> Path | None:
    """The manifest of the split that a model was trained on; None for one of another workspace."""
    workspace, folder = Workspace.current(), model_file.resolve().parent
    for record in reversed(records.all_of(workspace)):
        where = workspace.root / str(record.result.get("where", ""))
        if record.step == "train" and where.resolve() == folder:
            path = workspace.manifests / f"{record.parts.get('split', '')}.parquet"
            return path if path.is_file() else None
    return None
