"""The saved model, in a process that knows nothing of this project."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from storage.workspace import HOME_VARIABLE, Workspace
from tests.flows.conftest import parameters
from tests.pictures import write_folders

# Nothing but Keras, Pillow and NumPy; the pictures come from the split's folder tree.
STRANGER = """
import json, pathlib, sys
import keras, numpy as np
from PIL import Image
for folder, tree in zip(sys.argv[1::2], sys.argv[2::2], strict=True):
    folder = pathlib.Path(folder)
    model = keras.saving.load_model(folder / "model.keras")
    classes = json.loads((folder / "classes.json").read_text())
    rows = {}
    for path in sorted(pathlib.Path(tree).rglob("*.jpg")):
        picture = np.asarray(Image.open(path).convert("RGB"), "float32")
        # Called, not `predict`: nothing tells Keras that this is no training.
        rows[path.name] = [float(p) for p in np.asarray(model(picture[None]))[0]]
    print(json.dumps({"classes": classes, "rows": rows}))
"""

TWO, THREE = ("ant", "bee"), ("ant", "bee", "cow")
HEAD = {"layers": [{"units": 8, "dropout": 0.5}]}
TUNED = {"kind": "finetune", "views": 1, "averaging": "mirror", "head": HEAD, "head_epochs": 2}
LITE = {"backbone": "EfficientNetLite0", "image_size": 64, "head": HEAD}
BOTH = LITE | {"backbone": ["EfficientNetLite0", "EfficientNetLite2"], "averaging": "mirror"}
CONVNET = {"kind": "network", "network": "baseline_convnet", "image_size": 48, "dropout": 0.5}
LENET = {"kind": "network", "network": "lenet5", "image_size": 32, "channels": 1}
# The model, its precision, classes, and how far the probabilities may be off, on average. In
# bfloat16 a single one may be three times that: a stranger asks for one picture at a time, and CPUs
# that multiply bfloat16 sum one in another order than many.
CASES = [
    ({"image_size": 32, "head": HEAD}, "float32", TWO, 1e-3),
    ({"image_size": 32, "head": HEAD}, "float32", THREE, 1e-3),
    ({"image_size": 32, "head": HEAD}, "bfloat16", TWO, 0.03),
    (TUNED | {"image_size": 32}, "float32", THREE, 1e-3),
    (TUNED | {"image_size": 32}, "bfloat16", TWO, 0.03),
    (LITE, "float32", THREE, 2e-3),
    (LITE | {"resize": "pad"}, "float32", TWO, 2e-3),
    (BOTH, "float32", THREE, 2e-3),
    (CONVNET | {"averaging": "mirror"}, "float32", TWO, 1e-3),
    (LENET, "float32", THREE, 5e-3),
]


@pytest.fixture(scope="module")
def said(run, tmp_path_factory):
    """What one stranger says of the models of all cases, each with our own predictions."""
    from flows.parameters import Experiment

    words, tables = [], []
    for model, precision, classes, _ in CASES:
        folder = tmp_path_factory.mktemp("model")
        tree = parameters(write_folders(folder / "pictures", per_class=12, classes=classes))
        tree["model"] = model | {"precision": precision}
        tree["training"]["epochs"] = 1
        if model.get("kind", "features") != "features":
            tree["training"]["augmentation"] = {"rotation": 10, "horizontal_flip": True}
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(HOME_VARIABLE, str(folder / "workspace"))
            result = run(Experiment.model_validate(tree), until="evaluate")
            workspace = Workspace.current()
        (predictions,) = workspace.evaluations.glob("*/predictions.parquet")
        tables.append(pd.read_parquet(predictions))
        words += [Path(result["model"]).parent, tree_of(workspace)]
    done = subprocess.run(
        [sys.executable, "-I", "-c", STRANGER, *words], cwd=folder,
        capture_output=True, text=True, check=True,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
    )  # fmt: skip
    lines = map(json.loads, done.stdout.strip().splitlines()[-len(CASES) :])
    return list(zip(lines, tables, strict=True))


def tree_of(workspace):
    from storage import records

    return workspace.root / records.latest(workspace, "small", "split").result["tree"]


@pytest.mark.parametrize("case", range(len(CASES)))
def test_a_stranger_gets_the_probabilities_of_the_evaluation(said, case):
    _, precision, classes, tolerance = CASES[case]
    most = 3 * tolerance if precision == "bfloat16" else tolerance
    theirs, table = said[case]
    assert theirs["classes"] == list(classes)
    assert len(table) == 12 * len(classes)
    apart = []
    for row in table.itertuples():
        ours = np.array([getattr(row, f"probability_{name}") for name in classes])
        apart.append(np.abs(ours - theirs["rows"][row.name.split("/")[-1]]))
    assert np.max(apart) <= most
    assert np.mean(apart) <= tolerance
