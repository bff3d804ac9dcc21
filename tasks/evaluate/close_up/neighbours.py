"""The training pictures that are most like a picture, as the backbone sees both.

What a model was shown explains what it says: an error whose nearest training pictures carry the
wrong class points to a wrong label, one whose neighbours show something else to a lack of examples
(Papernot and McDaniel, Deep k-Nearest Neighbors, 2018).
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from storage.features import PIXELS, FeatureSpace, FeatureTable
from storage.references import SPLITS, FeaturesRef
from storage.workspace import Workspace
from tasks.evaluate.label_errors import Pooled

NEAREST = 5
AT_A_TIME = 4096
# Enough pictures to know the mean of all by.
MEAN_OF = 2000


class Neighbour(NamedTuple):
    """A training picture, and how like another it is: the cosine of their features, -1 to 1."""

    image: str
    name: str
    label: str
    likeness: float


def neighbours(
    workspace: Workspace, table: pd.DataFrame, features: FeaturesRef, images: Sequence[str]
) -> dict[str, list[Neighbour]]:
    """The NEAREST training pictures of each of these stored names, the most like one first.

    `table` has image, name, label and split of all pictures. Nothing for a network that was trained
    from pixels, which has no features to compare by.
    """
    if FeatureSpace.load(workspace, features).backbone == PIXELS or not images:
        return {}
    stored = table["image"].tolist()
    pooled = Pooled(FeatureTable.of(workspace, features, stored).rows, features.shape)
    places = {image: place for place, image in enumerate(stored)}
    asked = np.array([places[image] for image in images])
    training = np.flatnonzero((table["split"] == SPLITS[0]).to_numpy())
    found = nearest(pooled, asked, training)
    names, labels = table["name"].tolist(), table["label"].tolist()
    return {
        image: [
            Neighbour(stored[place], names[place], labels[place], round(likeness, 4))
            for place, likeness in zip(*one, strict=True)
        ]
        for image, one in zip(images, found, strict=True)
    }


def nearest(
    pooled: "Pooled | np.ndarray", asked: np.ndarray, among: np.ndarray
) -> Iterator[tuple[list[int], list[float]]]:
    """Of each position asked for, the nearest of the positions `among` and their cosines.

    Features are compared from the mean of those `among`: what all pictures share says nothing. A
    picture is not its own neighbour. They are read in blocks.
    """
    mean = pooled[among[:: max(1, len(among) // MEAN_OF)]].mean(axis=0)
    wanted = _directions(pooled[asked] - mean)
    best = np.empty((len(asked), 0))
    where = np.empty((len(asked), 0), int)
    for start in range(0, len(among), AT_A_TIME):
        some = among[start : start + AT_A_TIME]
        cosines = wanted @ _directions(pooled[some] - mean).T
        cosines[asked[:, None] == some] = -2.0
        best = np.concatenate([best, cosines], axis=1)
        where = np.concatenate([where, np.broadcast_to(some, cosines.shape)], axis=1)
        kept = np.argsort(-best, axis=1, kind="stable")[:, :NEAREST]
        best, where = (np.take_along_axis(one, kept, axis=1) for one in (best, where))
    for places, cosines in zip(where, best, strict=True):
        there = cosines > -2.0
        yield places[there].tolist(), cosines[there].tolist()


def _directions(values: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    found: np.ndarray = values / np.maximum(lengths, 1e-12)
    return found
