"""A trained model looked at closely: feature maps of one picture, Grad-CAM of those shown."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from storage import folders
from storage.features import FeatureSpace
from storage.folders import MODEL, TRAINING, part_path
from storage.images import ImageStore
from storage.workspace import Workspace
from tasks.evaluate.close_up import selection
from tasks.evaluate.close_up.feature_maps import FeatureMaps, feature_maps
from tasks.evaluate.close_up.grad_cam import heat_maps
from tasks.pictures import resizing
from tasks.pictures.parameters import square_of
from tasks.running.tensorflow import load_keras


def maps_of(
    workspace: Workspace, folder: Path, layer: str | None, image: str
) -> FeatureMaps | None:
    """Feature maps of a stored image in the whole model that lies in `folder`."""
    model = load_keras().saving.load_model(folder / MODEL, compile=False)
    # The model resizes by itself; a picture of any size would do, and cost as much memory.
    space = FeatureSpace(**folders.read_json(folder / TRAINING)["space"])
    square = square_of(space.image_size, space.resize)
    return feature_maps(model, layer, resizing.load(ImageStore(workspace.images), image, square))


def heat_of(
    folder: Path, published: int, rows: Any, shape: tuple[int, ...], predictions: pd.DataFrame,
    classes: tuple[str, ...],
) -> dict[str, np.ndarray]:  # fmt: skip
    """Grad-CAM by stored name: the most confident errors of the shown split and the eight.

    `rows` gives the cached features beside `predictions`; the trained part is the published one.
    """
    images = selection.looked_at(predictions)
    places = {image: place for place, image in enumerate(predictions["image"])}
    positions = np.array([places[image] for image in images])
    said = predictions["predicted"].iloc[positions].map(classes.index).to_numpy()
    trained = load_keras().saving.load_model(part_path(folder, published), compile=False)
    heat = heat_maps(trained, rows, positions, said, shape)
    return {} if heat is None else dict(zip(images, heat, strict=True))
