"""Whether OpenVINO's form of a model says what the evaluation says: from pictures, end to end.

The evaluation's probabilities come from cached features and the trained part; whoever classifies
pictures has the form instead, which sees pictures.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from storage import atomic, folders
from storage.folders import MODEL, PARITY
from storage.images import ImageStore
from storage.workspace import Workspace
from tasks.evaluate.curves import Predicted
from tasks.pictures import resizing
from tasks.train.model_folder import openvino_form

MOST_PICTURES = 200


class Parity(BaseModel):
    """`largest` is the largest difference of a probability, `equal` how many answers are the same.

    Of no pictures where there is no form.
    """

    model_config = ConfigDict(frozen=True)

    pictures: int = 0
    precision: str = ""
    largest: float = 0.0
    equal: int = 0


def of(
    workspace: Workspace, folder: Path, predictions: pd.DataFrame, split: str, classes: list[str]
) -> Parity:
    """On MOST_PICTURES of a split's pictures, evenly chosen, the form in a model's folder."""
    try:
        form = openvino_form.load(folder / MODEL, os.cpu_count() or 1)
    except openvino_form.Unusable:
        return Parity()
    rows = predictions[predictions["split"] == split]
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(MOST_PICTURES, len(rows))).round())
    rows = rows.iloc[chosen.astype(int)]
    images = ImageStore(workspace.images)

    def said(image: str) -> np.ndarray:
        return form.compute(resizing.load(images, image, form.square))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        ours = np.stack(list(pool.map(said, rows["image"])))
    theirs = Predicted.of(rows, classes).probabilities
    return Parity(
        pictures=len(rows),
        precision=form.precision,
        largest=float(np.abs(ours - theirs).max()),
        equal=int((ours.argmax(axis=1) == theirs.argmax(axis=1)).sum()),
    )


def save(folder: Path, parity: Parity) -> None:
    """Write it into an evaluation's folder."""
    atomic.write_json(folder / PARITY, parity.model_dump())


def load(folder: Path) -> Parity | None:
    """What `save` wrote; None in an evaluation of before it was measured."""
    path = folder / PARITY
    return Parity(**folders.read_json(path)) if path.is_file() else None
