"""Test accuracy of the presets on five data sets, beside what one does in ten lines.

Each data set is split three times (stratified, copies kept together); every preset runs on the same
splits, and so do a logistic regression, a linear SVM and nearest neighbours on the features of
`fast`, each with the setting that is best on validation. `train_seconds` is what the step `train`
took, `extract_seconds` what extracting took where it was not cached. Needs the pictures and
`ten_lines.py` beside the project. Two hours; ACCURACY=caltech-101,digits takes some data sets,
PRESETS=fast,good some presets, and PEERS=none leaves out the peers, which take most of the time
where classes are many.
"""

import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.measuring import SHARED, run, write
from storage.features import SPACE, FeatureSpace, FeatureTable
from storage.shards import ShardStore

SEEDS = (7, 8, 9)
PEERS = SHARED / "peers" / "ten_lines.py"
PRESETS = ("fast", "good", "best")
DATA = SHARED / "data"
FRACTIONS = "{train: 0.6, validation: 0.2, test: 0.2}"
# Experiment, settings of its source, fractions of its splits.
SETS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "digits": ("digits", (), FRACTIONS),
    "cats-and-dogs": (
        "cats-and-dogs-lite",
        (f"source.archive={DATA / 'dogs-vs-cats' / 'dogs-vs-cats.zip'}",),
        "{train: 0.5, validation: 0.25, test: 0.25}",
    ),
    "pokedex": ("my-pictures", (f"source.folder={DATA / 'pokedex'}",), FRACTIONS),
    "ships-and-motorbikes": (
        "my-pictures",
        (f"source.folder={DATA / 'ships-and-motorbikes'}",),
        FRACTIONS,
    ),
    "caltech-101": ("my-pictures", (f"source.folder={DATA / 'caltech-101'}",), FRACTIONS),
}


def developed(name: str, seed: int, preset: str) -> dict[str, Any]:
    """What a run says."""
    experiment, settings, fractions = SETS[name]
    split = f"split={{rule: stratified, seed: {seed}, fractions: {fractions}}}"
    chosen = (f"experiment=accuracy-{name}-{preset}", "publish={}", split, *settings)
    words = [word for setting in chosen for word in ("--set", setting)]
    command = [sys.executable, "-m", "flows", "run", experiment, "--preset", preset, *words]
    done = run([*command, "--json"])
    said: dict[str, Any] = json.loads(done.output.strip().splitlines()[-1])
    return said


def figures(said: dict[str, Any]) -> dict[str, Any]:
    """Of one run."""
    test, steps = said["metrics"]["test"], {step["name"]: step for step in said["steps"]}
    return {
        "test": round(test["accuracy"]["mean"], 4),
        "pictures": test["images"],
        "validation": round(said["metrics"]["validation"]["accuracy"]["mean"], 4),
        "calibration_error": round(calibration_error(said), 4),
        "train_seconds": steps["train"]["seconds"],
        "extract_seconds": steps["extract"]["seconds"],
    }


def calibration_error(said: dict[str, Any]) -> float:
    """Expected calibration error on test, in bins of equal count."""
    from tasks.evaluate.curves import Predicted, calibration, expected_calibration_error

    table = pd.read_parquet(said["predictions"])
    table = table[table["split"] == "test"]
    return expected_calibration_error(calibration(Predicted.of(table, sorted(set(table["label"])))))


def peers(said: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Validation and test accuracy of each family on the run's features and split."""
    spec = importlib.util.spec_from_file_location("ten_lines", PEERS)
    assert spec is not None
    assert spec.loader is not None
    ten_lines = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(ten_lines)
    table = pd.read_parquet(said["predictions"])
    folder = Path(said["features"])
    space = FeatureSpace.model_validate_json((folder / SPACE).read_text())
    width = int(np.prod(space.shape))
    known = FeatureTable(ShardStore(folder), table["image"].tolist(), width)
    maps = known.rows(np.arange(len(table))).reshape(-1, *space.shape)
    # One form of the features after the other: given maps, it fits a classifier anew on each form
    # and judges the last one by the best one's features.
    found: dict[str, dict[str, Any]] = {}
    for form, values in ten_lines.pooled(maps).items():
        for name, validation, test in ten_lines.scores(values, table["label"], table["split"]):
            family = name.partition(",")[0]
            if validation > found.get(family, {"validation": -1})["validation"]:
                one = {"validation": round(validation, 4), "test": round(test, 4)}
                found[family] = one | {"features": form}
    return found


def means(of_seeds: list[dict[str, Any]]) -> dict[str, Any]:
    """Over the splits of one data set: mean test accuracy, and its deviation, of each."""
    found: dict[str, Any] = {}
    for preset in PRESETS:
        values = [one[preset]["test"] for one in of_seeds if preset in one]
        if values:
            found[preset] = {
                "mean": round(float(np.mean(values)), 4),
                "deviation": round(float(np.std(values, ddof=1)), 4),
            }
    if not all(one["peers"] for one in of_seeds):
        return found
    best = [max(peer["test"] for peer in one["peers"].values()) for one in of_seeds]
    by_validation = [
        max(one["peers"].values(), key=lambda peer: peer["validation"])["test"] for one in of_seeds
    ]
    found["peers"] = {
        "best_on_test": round(float(np.mean(best)), 4),
        "best_on_validation": round(float(np.mean(by_validation)), 4),
    }
    return found


def main() -> None:
    """Every data set, split and preset."""
    if not PEERS.is_file():
        print(f"skipped: needs {PEERS}")
        return
    wanted = os.environ.get("ACCURACY", ",".join(SETS)).split(",")
    presets = os.environ.get("PRESETS", ",".join(PRESETS)).split(",")
    results: dict[str, Any] = {}
    for name in wanted:
        of_seeds = []
        for seed in SEEDS:
            said = {preset: developed(name, seed, preset) for preset in presets}
            one = {preset: figures(each) for preset, each in said.items()}
            beside = {} if os.environ.get("PEERS") == "none" else peers(said[presets[0]])
            of_seeds.append({"seed": seed, **one, "peers": beside})
            print(json.dumps(of_seeds[-1]), file=sys.stderr, flush=True)
        results[name] = {"means": means(of_seeds), "splits": of_seeds}
    write("accuracy", results)


if __name__ == "__main__":
    main()
