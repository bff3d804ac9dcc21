"""What a model said of validation pictures before it was fitted on them as well.

Afterwards it has seen them: what it says of them then says nothing of how good it is.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from storage import manifests
from storage.folders import UNSEEN


def save(folder: Path, probabilities: np.ndarray | None) -> None:
    """Write (n, classes) into a model's folder, in the order of the split; nothing for None."""
    if probabilities is not None:
        columns = [str(number) for number in range(probabilities.shape[1])]
        pd.DataFrame(probabilities, columns=columns).to_parquet(folder / UNSEEN, index=False)


def instead(folder: Path, validation: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """(n, classes) `probabilities`, with those from before where `validation` (n,) bool says so."""
    if not (folder / UNSEEN).is_file():
        return probabilities
    found = probabilities.copy()
    found[validation] = manifests.load(folder / UNSEEN).to_numpy()
    return found
