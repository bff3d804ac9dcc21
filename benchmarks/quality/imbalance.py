"""Seven hundred cats and twenty dogs to learn from, with class weights and without.

Balanced accuracy on 250 pictures of each class, three draws of the pictures, for a chosen head and
a dense one on EfficientNetLite0's features. Needs the pictures beside the project. Five minutes.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measuring import run, write
from benchmarks.quality.copies import PETS, pictures

SEEDS = (7, 8, 9)
TRAINED = {"cat": 700, "dog": 20}
TESTED = 250
HEADS = ("linear", "dense")
WEIGHTS = ("none", "balanced")


def laid_out(folder: Path, seed: int) -> None:
    """Folders train and test, of drawn pictures."""
    known = pictures("cats-and-dogs")
    draw = np.random.default_rng(seed)
    for name, count in TRAINED.items():
        keys = sorted(key for key in known if key.startswith(f"{name}/"))
        drawn = [str(one) for one in draw.permutation(keys)]
        for split, some in (("train", drawn[:count]), ("test", drawn[count : count + TESTED])):
            for key in some:
                path = folder / split / key
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(known[key])


def measured(folder: Path, seed: int, head: str, weights: str) -> dict[str, Any]:
    """Metrics on test."""
    settings = (
        f"source.folder={folder}",
        f"experiment=imbalance-{seed}-{head}-{weights}",
        f"model.head.kind={head}",
        f"training.class_weights={weights}",
        "publish.gate.floor=0.01",
        "training.epochs=30",
    )
    words = [word for setting in settings for word in ("--set", setting)]
    command = [sys.executable, "-m", "flows", "run", "my-pictures", *words, "--json"]
    said = json.loads(run(command).output.strip().splitlines()[-1])
    test = said["metrics"]["test"]
    return {name: round(test[name]["mean"], 4) for name in ("accuracy", "balanced_accuracy")}


def main() -> None:
    """Every draw, head and weight."""
    if not PETS.is_file():
        print(f"skipped: needs {PETS}")
        return
    found: dict[str, list[Any]] = {f"{head}, {one}": [] for head in HEADS for one in WEIGHTS}
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as folder:
            laid_out(Path(folder), seed)
            for head in HEADS:
                for one in WEIGHTS:
                    found[f"{head}, {one}"].append(measured(Path(folder), seed, head, one))
    means = {
        name: round(float(np.mean([one["balanced_accuracy"] for one in rows])), 4)
        for name, rows in found.items()
    }
    write("imbalance", {"balanced_accuracy": means, "draws": found})


if __name__ == "__main__":
    main()
