"""The saved model, in a process that knows nothing of this project."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.flows.conftest import parameters
from tests.pictures import write_folders

# Nothing but Keras, Pillow and NumPy; the pictures come from the split's folder tree.
STRANGER = """
import json, pathlib, sys
import keras, numpy as np
from PIL import Image
folder, tree = map(pathlib.Path, sys.argv[1:])
model = keras.saving.load_model(folder / "model.keras")
classes = json.loads((folder / "classes.json").read_text())
rows = {}
for path in sorted(tree.rglob("*.jpg")):
    picture = np.asarray(Image.open(path).convert("RGB"), "float32")
    rows[path.name] = [float(p) for p in model.predict_on_batch(picture[None])[0]]
print(json.dumps({"classes": classes, "rows": rows}))
"""


def stranger_says(result, workspace, tmp_path):
    from storage import records

    tree = workspace.root / records.latest(workspace, "small", "split").result["tree"]
    folder = Path(result["model"]).parent
    done = subprocess.run(
        [sys.executable, "-I", "-c", STRANGER, folder, tree], cwd=tmp_path,
        capture_output=True, text=True, check=True,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
    )  # fmt: skip
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.mark.parametrize(
    ("precision", "classes", "tolerance"),
    [
        ("float32", ("ant", "bee"), 1e-3),
        ("float32", ("ant", "bee", "cow"), 1e-3),
        ("bfloat16", ("ant", "bee"), 0.03),
    ],
)
def test_a_stranger_gets_the_probabilities_of_the_evaluation(
    run, tmp_path, workspace, precision, classes, tolerance
):
    from flows.parameters import Experiment

    tree = parameters(write_folders(tmp_path / "p", per_class=12, classes=classes))
    tree["model"] |= {"image_size": 64, "precision": precision}
    result = run(Experiment.model_validate(tree))
    said = stranger_says(result, workspace, tmp_path)
    (path,) = workspace.evaluations.glob("*/predictions.parquet")
    table = pd.read_parquet(path)
    assert said["classes"] == list(classes)
    for row in table.itertuples():
        ours = [getattr(row, f"probability_{name}") for name in classes]
        theirs = said["rows"][row.name.split("/")[-1]]
        assert ours == pytest.approx(theirs, abs=tolerance)
