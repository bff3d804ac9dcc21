"""Several backbones side by side: the averages of their maps as one vector.

Each has its own feature space and shards, so that one more computes only itself.
"""

from collections.abc import Sequence

import numpy as np

from storage.features import FeatureSpace, FeatureStore, FeatureTable
from storage.references import FeaturesRef
from storage.workspace import Workspace
from tasks.running import code_fingerprint

ROWS_PER_SHARD = 2000
ROWS_AT_A_TIME = 128
AVERAGES = "averages"


def joined(workspace: Workspace, names: list[str], parts: Sequence[FeaturesRef]) -> FeaturesRef:
    """The averages of each part's maps, one part after the other, of pictures and views `names`."""
    spaces = tuple(FeatureSpace.load(workspace, part) for part in parts)
    store = FeatureStore(workspace, space_of(spaces))
    missing = store.missing(names)
    for start in range(0, len(missing), ROWS_PER_SHARD):
        some = missing[start : start + ROWS_PER_SHARD]
        store.add(
            some, np.concatenate([_averages(workspace, part, some) for part in parts], axis=1)
        )
    first = parts[0]
    reference = store.reference(names, views=first.views, averaged=first.averaged)
    remarks = tuple(dict.fromkeys(remark for part in parts for remark in part.remarks))
    return reference.model_copy(update={"remarks": remarks})


def space_of(parts: tuple[FeatureSpace, ...]) -> FeatureSpace:
    """The space of joined averages: the first part's words where one has to stand for all."""
    return parts[0].model_copy(
        update={
            "backbone": "+".join(part.backbone for part in parts),
            "weights": "+".join(part.weights for part in parts),
            "layer": AVERAGES,
            "shape": (sum(part.shape[-1] for part in parts),),
            "parts": parts,
            "code": code_fingerprint.fingerprint(__name__),
        }
    )


def _averages(workspace: Workspace, part: FeaturesRef, names: list[str]) -> np.ndarray:
    """(n, channels) float16: maps averaged over their places, as a head would do in float32."""
    table = FeatureTable.of(workspace, part, names)
    found = np.empty((len(names), part.shape[-1]), np.float16)
    for start in range(0, len(names), ROWS_AT_A_TIME):
        positions = np.arange(start, min(start + ROWS_AT_A_TIME, len(names)))
        maps = table.rows(positions).astype(np.float32)
        found[positions] = maps.reshape(len(positions), -1, part.shape[-1]).mean(axis=1)
    return found
