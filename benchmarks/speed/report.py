"""The report of 10,000 test pictures: seconds to make it, and its size.

The pictures are made here: photographs' size (500 x 375 JPEG), two classes, one in ten wrong.
"""

import io
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from benchmarks.measuring import write
from storage.images import ImageStore
from tasks.evaluate import metrics
from tasks.evaluate.predictions_table import predictions
from tasks.publish import report_folder
from tasks.publish.inputs import ReportInputs

PICTURES = 10_000
CLASSES = ("cat", "dog")


def jpeg(rng: np.random.Generator) -> bytes:
    """Smooth noise at a photograph's size."""
    coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
    buffer = io.BytesIO()
    coarse.resize((500, 375), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def inputs(store: ImageStore) -> ReportInputs:
    """A finished run of PICTURES test pictures."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, PICTURES)
    right = np.where(rng.random(PICTURES) < 0.9, labels, 1 - labels)
    sure = rng.uniform(0.5, 1.0, PICTURES)
    probability = np.where(right == 1, sure, 1 - sure)
    names = [store.add(jpeg(rng)) for _ in range(PICTURES)]
    split = pd.DataFrame(
        {
            "image": names,
            "name": [f"{CLASSES[label]}.{number}.jpg" for number, label in enumerate(labels)],
            "source": "made",
            "split": "test",
            "label": [CLASSES[label] for label in labels],
            "bytes": 1,
            "width": 500,
            "height": 375,
            "group": names,
            "copies": names,
        }
    )
    both = np.stack([1 - probability, probability], axis=1)
    measured = metrics.of_predictions(labels, both, list(CLASSES))
    return ReportInputs(
        experiment="ten-thousand",
        run="one",
        when="2026-01-01T00:00:00+00:00",
        model="models/x",
        evaluation="evaluations/x",
        metrics={"classes": list(CLASSES), "test": metrics.summary([measured], 0, PICTURES)},
        training=training(),
        predictions=predictions(split, both, CLASSES),
        rows=split.assign(status="kept", reason="", format="JPEG"),
        split=split,
        images=store,
    )


def training() -> dict[str, Any]:
    """The history of a short training."""
    history = [{"epoch": e, "loss": 1 / e, "accuracy": 1 - 0.5 / e} for e in range(1, 6)]
    space = {"backbone": "VGG16", "image_size": 180, "preprocessing": "imagenet"}
    return {
        "space": space | {"precision": "float32", "weights": "", "layer": "last"},
        "published_repeat": 0,
        "seeds": [1],
        "history": [history],
    }


def main() -> None:
    """Make the page once, and write down what it took."""
    with tempfile.TemporaryDirectory() as scratch:
        made = inputs(ImageStore(Path(scratch) / "images"))
        target = Path(scratch) / "report"
        target.mkdir()
        started = time.perf_counter()
        report_folder.write(target, made)
        seconds = time.perf_counter() - started
        size = (target / "report.html").stat().st_size
    write(
        "report",
        {
            "test_pictures": PICTURES,
            "seconds": round(seconds, 1),
            "megabytes": round(size / 1e6, 2),
        },
    )


if __name__ == "__main__":
    main()
