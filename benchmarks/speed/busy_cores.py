"""How busy extraction keeps the processor: its CPU time over wall time, at sides of 32 to 256.

VGG16 in TensorFlow and in OpenVINO, EfficientNetLite0 in OpenVINO; pictures of 400 x 350 are
decoded on the way, as the step does it. Loading libraries and weights is not counted. Five minutes.
"""

import os
import tempfile
import time
from typing import Any

import cv2
import numpy as np

from benchmarks.measuring import write
from storage.features import FeatureStore
from storage.images import ImageStore
from storage.workspace import HOME_VARIABLE, Workspace

SIDES = (32, 64, 128, 256)
# At 256 pixels; of smaller ones as many more as there are fewer pixels, up to MOST.
FEWEST, MOST = 128, 2048
KINDS = (("VGG16", "tensorflow"), ("VGG16", "openvino"), ("EfficientNetLite0", "openvino"))


def photographs(store: ImageStore, count: int) -> list[str]:
    """Names of so many photographs, as far as a machine can make them."""
    names = []
    for number in range(count):
        draw = np.random.default_rng(number)
        small = draw.integers(0, 256, (35, 40, 3), np.uint8)
        large = cv2.resize(small, (400, 350), interpolation=cv2.INTER_CUBIC)
        names.append(store.add(cv2.imencode(".jpg", large)[1].tobytes()))
    return names


def measured(workspace: Workspace, names: list[str], kind: tuple[str, str], side: int) -> Any:
    """Pictures per second, and cores kept busy."""
    from tasks.extract.job import batch_size
    from tasks.features.backbone import Backbone
    from tasks.features.extractor import extract
    from tasks.features.picture_cache import loader
    from tasks.features.precision import resolve
    from tasks.pictures.parameters import Square

    name, runtime = kind
    mode = "lite" if name.startswith("EfficientNetLite") else "caffe"
    threads = os.cpu_count() or 1
    prepared = Backbone(name, side, mode, resolve("auto"), runtime=runtime).prepare(threads)
    store = FeatureStore(workspace, prepared.space)
    load = loader(ImageStore(workspace.images), Square(side), None, held=2 * threads)
    some = names[: min(MOST, FEWEST * (256 // side) ** 2)]

    def run(these: list[str]) -> None:
        extract(
            these, load, prepared, store,
            batch_size=batch_size(side), workers=threads, advance=lambda number: None,
        )  # fmt: skip

    run(some[: batch_size(side)])  # graphs are traced and compiled with the first batch
    wall, cpu = time.perf_counter(), time.process_time()
    run(some)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"pictures_per_second": round(len(some) / wall, 1), "cores": round(cpu / wall, 2)}


def main() -> None:
    """Each side and network prints as it ends."""
    rows = {}
    with tempfile.TemporaryDirectory() as place:
        os.environ[HOME_VARIABLE] = place
        workspace = Workspace.current()
        names = photographs(ImageStore(workspace.images), MOST)
        for kind in KINDS:
            for side in SIDES:
                rows[f"{' '.join(kind)} {side}"] = measured(workspace, names, kind, side)
                print(kind, side, rows[f"{' '.join(kind)} {side}"], flush=True)
    write("busy_cores", {"rows": rows})


if __name__ == "__main__":
    main()
