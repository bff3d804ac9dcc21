"""Flipped labels found again: which labels are shown as doubtful, beside cleanlab's own choice.

Caltech-101 (100 classes) and pokedex (5) with EfficientNetLite0's features; 1 or 5 % of the labels
are turned into another class at random. Both ways judge by the same out-of-sample probabilities and
show about as many; of them `precision` were flipped, and of the flipped `recall` are shown. Labels
that were wrong before count against both. Needs the pictures beside the project. Two minutes.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.measuring import SHARED, write
from tasks.evaluate import label_errors
from tasks.features.backbone import Backbone
from tasks.features.precision import resolve
from tasks.pictures import resizing
from tasks.pictures.parameters import Square

DATA = ("caltech-101", "pokedex")
RATES, SEEDS = (0.01, 0.05), (0, 1, 2)
SIDE = 224


def features_of(paths: list[Path]) -> np.ndarray:
    """(n, 1280) averages of Lite0's last layer."""
    precision = resolve("auto")
    prepared = Backbone("EfficientNetLite0", SIDE, "lite", precision, runtime="openvino").prepare(
        os.cpu_count() or 1
    )

    def one(path: Path) -> np.ndarray:
        pixels = resizing.shown(path.read_bytes(), Square(SIDE))
        assert isinstance(pixels, np.ndarray), path
        return prepared.each(pixels).astype(np.float32).mean(axis=(0, 1))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return np.stack(list(pool.map(one, paths)))


def judged(shown: np.ndarray, flipped: np.ndarray) -> tuple[float, float]:
    """(precision, recall) of the rows that are shown."""
    hits = float(flipped[shown].sum())
    return hits / max(1, len(shown)), hits / float(flipped.sum())


def compared(
    features: np.ndarray, labels: np.ndarray, rate: float, seed: int
) -> dict[str, tuple[float, float]]:
    """Precision and recall of our candidates, and of cleanlab's with its own filter."""
    from cleanlab.filter import find_label_issues  # type: ignore[import-untyped]

    generator = np.random.default_rng(seed)
    count = int(labels.max()) + 1
    flipped = generator.random(len(labels)) < rate
    noisy = np.where(flipped, (labels + generator.integers(1, count, len(labels))) % count, labels)
    said = label_errors.out_of_sample(features, noisy, np.arange(len(labels)))
    names = [str(number) for number in range(count)]
    table = pd.DataFrame(
        {"image": np.arange(len(labels)), "name": "", "split": "", "label": noisy.astype(str)}
    )
    ours = label_errors.candidates(table, said, names)["image"].to_numpy()
    theirs = find_label_issues(noisy, said, return_indices_ranked_by="self_confidence", n_jobs=1)
    return {"darkroom": judged(ours, flipped), "cleanlab_default": judged(theirs, flipped)}


def main() -> None:
    """Extract once, flip several times."""
    if not all((SHARED / "data" / name).is_dir() for name in DATA):
        print(f"skipped: needs {', '.join(DATA)} in {SHARED / 'data'}")
        return
    results: dict[str, Any] = {}
    for name in DATA:
        suffixes = (".jpg", ".jpeg", ".png")
        paths = sorted(
            path for path in (SHARED / "data" / name).glob("*/*") if path.suffix in suffixes
        )
        classes = sorted({path.parent.name for path in paths})
        labels = np.array([classes.index(path.parent.name) for path in paths])
        features = features_of(paths)
        for rate in RATES:
            found = [compared(features, labels, rate, seed) for seed in SEEDS]
            results[f"{name}, {rate:.0%} flipped"] = {
                way: dict(
                    zip(
                        ("precision", "recall"),
                        np.mean([one[way] for one in found], axis=0).round(3).tolist(),
                        strict=True,
                    )
                )
                for way in found[0]
            }
    write("label_errors", results)


if __name__ == "__main__":
    main()
