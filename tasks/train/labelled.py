"""Features beside their labels, per split."""

from storage import manifests
from storage.features import FeatureTable
from storage.references import FeaturesRef, SplitRef
from storage.workspace import Workspace
from tasks.train.batches import rows_of
from tasks.train.fit import Labelled


def labelled_features(
    workspace: Workspace, split: SplitRef, features: FeaturesRef, name: str
) -> Labelled:
    """The rows of one split; labels are positions in `split.classes`."""
    import numpy as np

    table = manifests.load(workspace.root / split.where)
    part = table[table["split"] == name]
    number = {label: position for position, label in enumerate(split.classes)}
    labels = np.array([number[label] for label in part["label"]], np.int64)
    return Labelled(rows_of(FeatureTable.of(workspace, features, part["image"].tolist())), labels)
