"""Features beside their labels, per split."""

import numpy as np

from storage import manifests
from storage.features import FeatureTable
from storage.references import FeaturesRef, SplitRef
from storage.workspace import Workspace
from tasks.pictures.views import named
from tasks.train.batches import Labelled, rows_of


def labelled_features(
    workspace: Workspace, split: SplitRef, features: FeaturesRef, name: str
) -> Labelled:
    """The rows of one split, in all views if it is trained on.

    Labels are positions in `split.classes`.
    """
    table = manifests.load(workspace.path(split))
    part = table[table["split"] == name]
    number = {label: position for position, label in enumerate(split.classes)}
    labels = np.array([number[label] for label in part["label"]], np.int64)
    views = features.views if name == "train" else features.views[:1]
    names = [named(image, view) for view in views for image in part["image"]]
    rows = rows_of(FeatureTable.of(workspace, features, names))
    return Labelled(rows, labels, views=len(views), groups=part["group"].to_numpy())
