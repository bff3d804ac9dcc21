"""500 JPEGs of 12 megapixels: the step's decoding and Lite0's features, beside whole decoding.

The pictures are made for it: scikit-learn's two photographs, cut differently, enlarged to
4,000 x 3,000, half of them with the grain of a good sensor (a deviation of one grey level), half
with that of a bad one (four). Both ways do the same work by the same code, of which one asks the
decoder for the whole picture. Resizing that in one go, as networks are shown pictures, picks single
pixels, grain and all; the decoder's scaling takes means. Three minutes.
"""

import io
import json
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.measuring import run, write

PICTURES = int(os.environ.get("BENCHMARK_PICTURES", "500"))
SIZE = (4000, 3000)
GRAINS = {"fine_grain": 1.0, "coarse_grain": 4.0}
EXTRACT = """
import json, sys, time
from pathlib import Path
import numpy as np
from storage.features import FeatureStore, FeatureTable
from storage.images import ImageStore
from storage.workspace import Workspace
from tasks.features.backbone import Backbone
from tasks.features.extractor import extract
from tasks.features.picture_cache import loader
from tasks.pictures import resizing
from tasks.pictures.parameters import Square
from tasks.running.progress import silent
if sys.argv[1] == "whole":
    resizing.TIMES = 10**6
workspace = Workspace.current()
images = ImageStore(workspace.images)
names = sorted(images.names())
started = time.perf_counter()
backbone = Backbone("EfficientNetLite0", 224, "lite", sys.argv[2], runtime="openvino")
prepared = backbone.prepare(2)
load = loader(images, Square(224), None, held=4)
space = prepared.space.model_copy(update={"code": sys.argv[1]})
store = FeatureStore(workspace, space)
extract(names, load, prepared, store, batch_size=16, workers=2, advance=silent)
seconds = time.perf_counter() - started
table = FeatureTable.of(workspace, store.reference(names), names)
rows = table.rows(np.arange(len(names))).astype(np.float32).reshape(len(names), -1, 1280)
np.save(workspace.root / f"{sys.argv[1]}.npy", rows.mean(axis=1))
print(json.dumps(seconds))
"""


def make(home: Path, grain: float) -> None:
    """The pictures, in the image store of a workspace."""
    import numpy as np
    from PIL import Image
    from sklearn.datasets import load_sample_image

    from storage.images import ImageStore

    store = ImageStore(home / "images")
    photographs = [load_sample_image(name) for name in ("china.jpg", "flower.jpg")]

    def one(number: int) -> None:
        generator = np.random.default_rng(number)
        top, left = generator.integers(0, 120, 2)
        cut = Image.fromarray(photographs[number % 2][top : top + 300, left : left + 400])
        large = np.asarray(cut.resize(SIZE, Image.Resampling.BICUBIC)).astype(np.int16)
        noise = generator.normal(0, grain, (*large.shape[:2], 1)).astype(np.float32)
        large += np.rint(noise).astype(np.int16)
        buffer = io.BytesIO()
        Image.fromarray(large.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=90)
        store.add(buffer.getvalue())

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(one, range(PICTURES // len(GRAINS))))


def compared(home: Path) -> dict[str, Any]:
    """Rates in both ways, and how near the averages of the features are to each other."""
    import numpy as np

    from tasks.features.precision import resolve

    seconds = {}
    for how in ("whole", "reduced"):
        words = [sys.executable, "-c", EXTRACT, how, resolve("auto")]
        seconds[how] = float(json.loads(run(words, DARKROOM_HOME=str(home)).output))
    whole, reduced = (np.load(home / f"{how}.npy") for how in seconds)
    cosines = (whole * reduced).sum(axis=1)
    cosines /= np.linalg.norm(whole, axis=1) * np.linalg.norm(reduced, axis=1)
    return {
        "pictures_per_second": {how: round(len(whole) / one, 1) for how, one in seconds.items()},
        "times_whole_decoding": round(seconds["whole"] / seconds["reduced"], 2),
        "cosine_lowest": round(float(cosines.min()), 4),
        "cosine_median": round(float(np.median(cosines)), 4),
    }


def main() -> None:
    """Make, extract in both ways, compare."""
    results: dict[str, Any] = {"pictures": PICTURES}
    for name, grain in GRAINS.items():
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder), grain)
            results[name] = compared(Path(folder))
    write("large_jpegs", results)


if __name__ == "__main__":
    main()
