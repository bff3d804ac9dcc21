"""Use a model on new pictures."""

from pathlib import Path
from typing import Any

from storage import folders
from storage.errors import ParameterError
from storage.layout import CLASSES, LATEST, MODEL
from storage.workspace import Workspace


def model_file(model: str) -> Path:
    """The `.keras` file that `model` names: a file, a model's folder, or an experiment's latest."""
    path = Path(model)
    latest = Workspace.current().reports / model / LATEST / "model"
    for candidate in (path, path / MODEL, latest / MODEL):
        if candidate.is_file():
            return candidate
    raise ParameterError(
        f"no model at {model}: expected a {MODEL}, a folder that holds one, or the name of an "
        "experiment that has been run (see `darkroom experiments`)"
    )
