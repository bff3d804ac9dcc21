"""The saved model in plain Keras beside the evaluation table, on 1,000 real test pictures.

Trains cats-and-dogs-small once with bf16 features where the CPU has them; then a process that knows
nothing of this project loads model.keras, reads the test folder with Pillow and predicts. The
largest difference of a probability and the share of equal classes are written down.
"""

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from benchmarks.measuring import run, write
from benchmarks.speed.extraction import ARCHIVE, DARKROOM
from tasks.features.precision import resolve

STRANGER = """
import json, pathlib, sys
import keras, numpy as np
from PIL import Image
folder, tree = map(pathlib.Path, sys.argv[1:])
model = keras.saving.load_model(folder / "model.keras")
rows = {}
for path in sorted(tree.rglob("*.jpg")):
    picture = np.asarray(Image.open(path).convert("RGB"), "float32")
    rows[path.name] = [float(p) for p in np.asarray(model(picture[None]))[0]]
print(json.dumps(rows))
"""


def compared(home: Path, model: Path) -> dict[str, float]:
    """Differences between the stranger's probabilities and those of the table."""
    (tree,) = (path for path in (home / "splits").iterdir() if path.name != "lineage")
    done = run([sys.executable, "-I", "-c", STRANGER, str(model.parent), str(tree / "test")])
    theirs = json.loads(done.output.strip().splitlines()[-1])
    (file,) = (home / "evaluations").glob("*/predictions.parquet")
    table = pd.read_parquet(file)
    table = table[table["split"] == "test"]
    mine = table.set_index(table["name"].str.rsplit("/").str[-1])["probability_dog"]
    said = pd.Series({name: row[1] for name, row in theirs.items()}).loc[mine.index]
    return {
        "pictures": len(mine),
        "largest_difference": round(float((said - mine).abs().max()), 5),
        "same_class": round(float(((said > 0.5) == (mine > 0.5)).mean()), 5),
    }


def main(precisions: Sequence[str] = ()) -> None:
    """Both precisions that this machine would choose or be told, or those that are named."""
    if not ARCHIVE.exists():
        print(f"skipped: needs {ARCHIVE}")
        return
    results = {}
    for precision in precisions or sorted({"float32", resolve("auto")}):
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder) / "workspace"
            settings = [f"source.archive={ARCHIVE}", f"model.precision={precision}"]
            words = [word for setting in settings for word in ("--set", setting)]
            done = run([*DARKROOM, *words, "--json"], DARKROOM_HOME=str(home))
            model = Path(json.loads(done.output.strip().splitlines()[-1])["model"])
            results[precision] = compared(home, model)
    write("stranger", results)


if __name__ == "__main__":
    main(sys.argv[1:])
