"""Use a model on new pictures."""

from pathlib import Path
from typing import Any

from storage import folders, published
from storage.errors import ParameterError
from storage.layout import CLASSES, LATEST, METRICS, MODEL
from storage.names import as_file_name
from storage.workspace import Workspace
from tasks.decode import Problem, decode
from tasks.tensorflow import load_keras


def model_file(model: str) -> Path:
    """The `.keras` file that `model` names: a file, a model's folder, or an experiment.

    Of an experiment it is the published model; the latest while none has been published.
    """
    path = Path(model)
    for candidate in (path, path / MODEL):
        if candidate.is_file():
            return candidate
    workspace = Workspace.current()
    standing = published.current(workspace, model)
    if standing is not None:
        return workspace.root / standing.model / MODEL
    latest = workspace.reports / as_file_name(model) / LATEST / METRICS
    if latest.is_file():
        return workspace.root / str(folders.read_json(latest)["model"]) / MODEL
    raise ParameterError(
        f"no model at {model}: expected a {MODEL}, a folder that holds one, or the name of an "
        "experiment that has been run (see `darkroom experiments`)"
    )


def classify_files(model: str, images: list[Path]) -> list[dict[str, Any]]:
    """One row per picture: image, label, probability, reason (why there is no label)."""
    file = model_file(model)
    classes = folders.read_json(file.parent / CLASSES)
    network = load_keras().saving.load_model(file)
    return [_classified(network, classes, path) for path in images]


def _classified(network: Any, classes: list[str], path: Path) -> dict[str, Any]:
    import numpy as np

    row: dict[str, Any] = {"image": str(path), "label": "", "probability": None, "reason": ""}
    try:
        pixels = decode(path.read_bytes())
    except OSError as error:
        return row | {"reason": str(error)}
    if isinstance(pixels, Problem):
        return row | {"reason": f"{pixels.status}: {pixels.reason}"}
    probabilities = np.asarray(network(pixels[None].astype("float32"), training=False))[0]
    best = int(probabilities.argmax())
    return row | {"label": classes[best], "probability": float(probabilities[best])}
