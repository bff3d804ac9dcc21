"""A small finished experiment to make reports of: real pictures, real tables, real metrics."""

import numpy as np
import pandas as pd

from storage import atomic, folders
from storage.folders import METRICS, PREDICTIONS
from storage.images import ImageStore
from storage.statuses import Status
from tasks.evaluate import diagnosis, label_errors, predictions_table
from tasks.evaluate import metrics as evaluated
from tasks.pictures.light import Light
from tasks.pictures.opencv import cv2
from tasks.publish.inputs import ReportInputs
from tasks.running.outcomes import StepOutcome

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "\"double\" & 'single' {{ 7 * 7 }}",
    "ねこ $x^2$ `tick` 🐈",
    "_" + "long" * 50,
    "font: 9px x",
    'a id="b" c',
    "#a0f0f1 url(#x)",
)
WHEN = "2026-05-04T03:02:01+00:00"


def picture(number, size=(60, 40)):
    """The bytes of a JPEG unlike those of any other number."""
    pixels = np.random.default_rng(number).integers(0, 255, (4, 6, 3), np.uint8)
    large = cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC)
    return cv2.imencode(".jpg", large)[1].tobytes()


def manifest(store, classes, per_class, *, size=(60, 40)):
    """The rows of `clean`: per class so many kept, and some turned down for every reason."""
    rows = []
    for number in range(len(classes) * per_class):
        label = classes[number % len(classes)]
        data = picture(number, (size[0] + number % 4, size[1]))
        name = f"{label}/picture {number}.jpg"
        rows.append(_row(name, label, store.add(data), Status.KEPT, "", data))
    for number, status in enumerate((Status.LABEL_CONFLICT, Status.DUPLICATE, Status.TOO_SMALL)):
        data = picture(10**6 + number)
        image = store.add(data)
        name = f'torn "{number}" é.jpg'
        rows.append(_row(name, classes[0], image, status, f"why <b>{number}</b>", data))
    rows.append(_row("page.html", classes[0], "", Status.UNDECODABLE, "HTML, not a picture", b""))
    table = pd.DataFrame(rows)
    table["group"] = np.where(table["status"] == Status.KEPT, table["image"], "")
    return table


def _row(name, label, image, status, reason, data):
    return {
        "name": name, "label": label, "source": "sample.zip", "image": image, "bytes": len(data),
        "status": str(status), "reason": reason, "width": 60, "height": 40, "format": "JPEG",
        **USUAL._asdict(),
    }  # fmt: skip


# Of a picture in which nothing is odd.
USUAL = Light(darkest=20.0, lightest=220.0, contrast=50.0, colour=40.0, sharpness=7.0)
NO_DOUBTS = label_errors.Found(label_errors.none(), "No label is doubtful.")


def outcome(name, state, seconds, why):
    return StepOutcome(name=name, state=state, seconds=seconds, why=why)


def split_of(rows, percentages=(40, 20, 40)):
    """Train, validation and test in turn; the first two training pictures are near-duplicates."""
    kept = rows[rows["status"] == Status.KEPT].reset_index(drop=True)
    edges = np.cumsum(percentages) * len(kept) // 100
    place = np.searchsorted(edges, np.arange(len(kept)), side="right").clip(0, 2)
    kept["split"] = np.array(["train", "validation", "test"])[place]
    kept.loc[1, "group"] = kept.loc[0, "group"]
    kept["copies"] = kept["group"]
    columns = [
        "image",
        "label",
        "name",
        "source",
        "bytes",
        "width",
        "height",
        "group",
        "copies",
        "split",
    ]
    return kept[columns]


def predicted(split, classes, seed=0, sharpness=2.0):
    """A predictions table of a model that is often right, and its metrics."""
    generator = np.random.default_rng(seed)
    labels = split["label"].map({name: n for n, name in enumerate(classes)}).to_numpy()
    scores = generator.normal(size=(len(split), len(classes)))
    scores[np.arange(len(split)), labels] += sharpness
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    table = predictions_table.predictions(split, probabilities, tuple(classes))
    result = {"classes": list(classes)}
    for name in ("train", "validation", "test"):
        part = (split["split"] == name).to_numpy()
        one = evaluated.of_predictions(labels[part], probabilities[part], list(classes))
        result[name] = evaluated.summary([one], 0, int(part.sum()))
    return table, result


def training(epochs=5):
    """A model's training.json."""
    history = [
        {"epoch": n + 1, "loss": 1 / (n + 1), "accuracy": 1 - 0.5 / (n + 1),
         "val_loss": 1.1 / (n + 1), "val_accuracy": 1 - 0.6 / (n + 1)}
        for n in range(epochs)
    ]  # fmt: skip
    space = {"backbone": "VGG16", "image_size": 64, "preprocessing": "imagenet",
             "precision": "float32"}  # fmt: skip
    return {
        "space": space,
        "part": {"kind": "Head"},
        "published_repeat": 0,
        "seeds": [1],
        "history": [history],
    }


def inputs(
    workspace,
    classes=("cat", "dog", "hen"),
    per_class=40,
    *,
    seed=0,
    percentages=(40, 20, 40),
    **changes,
):
    """All that a report is made of; the evaluation lies in the workspace as well."""
    store = ImageStore(workspace.images)
    rows = manifest(store, list(classes), per_class)
    split = split_of(rows, percentages)
    table, result = predicted(split, list(classes), seed)
    folder = workspace.evaluations / f"{seed:08x}" / "whole"
    given = {
        "experiment": "sample",
        "run": f"2026-05-04-030201-{seed:08x}",
        "when": WHEN,
        "model": f"models/{seed:064x}",
        "evaluation": workspace.relative(folder),
        "metrics": result,
        "training": training(),
        "predictions": table,
        "rows": rows,
        "split": split,
        "images": store,
        "steps": [outcome("acquire", "cached", 0.1, "nothing changed"),
                  outcome("train", "executed", 12.5, "training.epochs: 3 -> 5")],
        "seconds": 75.0,
        "command": "darkroom run sample --set training.epochs=5",
        "parameters": {"experiment": "sample", "training": {"epochs": 5, "patience": None}},
    } | changes  # fmt: skip
    given["diagnosis"] = diagnosis.diagnose(
        given["predictions"], given["split"], list(classes), given.pop("doubts", NO_DOUBTS)
    )
    made = ReportInputs(**given)
    with folders.new_folder(folder) as new:
        made.predictions.to_parquet(new / PREDICTIONS, index=False)
        atomic.write_json(new / METRICS, made.metrics)
        diagnosis.save(new, made.diagnosis)
        folders.seal(new)
    return made


def network(count=4, name="layer"):
    """A model's network.json: a chain in a nested model, between an input and two ways out."""
    row = {"kind": "Conv2D", "shape": [None, 5, 5, 512], "parameters": 1000, "trainable": 0}
    given = {"name": "pictures", "kind": "InputLayer", "parameters": 0, "inside": [], "after": []}
    chain = [{"name": f"{name}_{n}", "inside": ["backbone", "vgg16"], "after": [n]}
             for n in range(count)]  # fmt: skip
    dense = {"name": "dense", "trainable": 1000, "inside": ["head"], "after": [count]}
    both = {"name": "both", "parameters": 0, "inside": [], "after": [count + 1, 0]}
    return [row | one for one in (given, *chain, dense, both)]
