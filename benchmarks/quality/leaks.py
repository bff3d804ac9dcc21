"""What a leak is worth: `pokedex-as-published`, copies on both sides of the split, taken apart.

Of its test pictures some have a copy in train, the others have none: the accuracy on both, each
with its interval (`pokedex`, where none has, is in docs/experiments.md). Needs the pictures beside
the project. Twenty minutes; REPEATS=1 makes it a third.
"""

import os
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.measuring import SHARED, experiment, write
from storage.workspace import Workspace
from tasks.clean import facts
from tasks.clean.likeness import likeness
from tasks.clean.parameters import LOOKING
from tasks.evaluate.metrics import wilson
from tasks.pictures.parameters import MAX_PIXELS

FOLDER = SHARED / "data" / "pokedex"


def with_a_copy_in_train(workspace: Workspace, split: pd.DataFrame) -> set[str]:
    """Images of test that are, or are a copy of, an image of train."""
    about = facts.load(facts.store_of(workspace, MAX_PIXELS))
    images = sorted(split["image"].unique())
    alike = likeness(workspace, about, images, "edited", LOOKING)
    groups = split["image"].map(alike.groups)
    in_train = set(groups[split["split"] == "train"])
    tested = split["split"] == "test"
    return set(split.loc[tested & groups.isin(in_train), "image"])


def accuracy(correct: pd.Series) -> dict[str, Any]:
    """With its interval."""
    low, high = wilson(int(correct.sum()), len(correct))
    return {
        "accuracy": round(float(correct.mean()), 4),
        "interval": [round(low, 4), round(high, 4)],
        "pictures": len(correct),
    }


def main() -> None:
    """Run it, and take its test pictures apart."""
    if not FOLDER.is_dir():
        print(f"skipped: needs {FOLDER}")
        return
    settings = [f"source.folder={FOLDER}", f"training.repeats={os.environ.get('REPEATS', '3')}"]
    said = experiment("pokedex-as-published", *settings)
    predictions = pd.read_parquet(Path(said["predictions"]))
    tested = predictions[predictions["split"] == "test"]
    leaked = tested["image"].isin(with_a_copy_in_train(Workspace.current(), predictions))
    results = {
        "test accuracy": said["metrics"]["test"]["accuracy"],
        "with a copy in train": accuracy(tested.loc[leaked, "correct"]),
        "without": accuracy(tested.loc[~leaked, "correct"]),
    }
    write("leaks", results)


if __name__ == "__main__":
    main()
