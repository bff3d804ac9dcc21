"""Pictures of classes that a model does not know, told from those that it knows.

Half of Caltech-101's classes are held out of training (`source.exclude`), three times others; the
model then judges (`darkroom classify --doubt`) its test pictures and all pictures of the classes
held out. AUROC of familiarity, and beside it of the highest probability; how many of each are
called unknown, and how many sets hold the true class. Needs the pictures beside the project. Five
minutes.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from benchmarks.measuring import SHARED, run, write

PICTURES = SHARED / "data" / "caltech-101"
SEEDS = (7, 8, 9)
PRESETS = ("fast", "good")
FRACTIONS = "{train: 0.6, validation: 0.2, test: 0.2}"


def judged(model: str, pictures: list[Path]) -> pd.DataFrame:
    """What a model says of pictures, doubting."""
    words = [sys.executable, "-m", "flows", "classify", model, *map(str, pictures)]
    said = run([*words, "--doubt", "--json"]).output.strip().splitlines()[-1]
    return pd.DataFrame(json.loads(said)["images"])


def measured(seed: int, preset: str) -> dict[str, Any]:
    """One half of the classes."""
    names = sorted(path.name for path in PICTURES.iterdir() if path.is_dir())
    out = sorted(np.random.default_rng(seed).choice(names, len(names) // 2, replace=False))
    settings = (
        f"source.folder={PICTURES}",
        f"source.exclude={json.dumps([str(name) for name in out])}",
        f"experiment=unknown-{seed}-{preset}",
        f"split={{rule: stratified, seed: {seed}, fractions: {FRACTIONS}}}",
    )
    words = [word for setting in settings for word in ("--set", setting)]
    command = [sys.executable, "-m", "flows", "run", "my-pictures", "--preset", preset, *words]
    done = json.loads(run([*command, "--json"]).output.strip().splitlines()[-1])
    table = pd.read_parquet(done["predictions"])
    test = table[table["split"] == "test"]
    known = judged(done["model"], [PICTURES / name for name in test["name"]])
    unknown = judged(done["model"], [PICTURES / name for name in out])
    truth = [0] * len(unknown) + [1] * len(known)
    both = pd.concat([unknown, known])
    holds = [one in held for one, held in zip(test["label"], known["held"], strict=True)]
    found = {
        "seed": seed,
        "known": len(known),
        "unknown": len(unknown),
        "auroc": round(float(roc_auc_score(truth, both["familiarity"])), 4),
        "auroc_of_probability": round(float(roc_auc_score(truth, both["probability"])), 4),
        "known_called_unknown": round(float(known["unknown"].mean()), 4),
        "unknown_called_unknown": round(float(unknown["unknown"].mean()), 4),
        "sets_hold": round(float(np.mean(holds)), 4),
    }
    print(preset, json.dumps(found), file=sys.stderr, flush=True)
    return found


def main() -> None:
    """Every half and preset."""
    if not PICTURES.is_dir():
        print(f"skipped: needs {PICTURES}")
        return
    write("unknown", {one: [measured(seed, one) for seed in SEEDS] for one in PRESETS})


if __name__ == "__main__":
    main()
