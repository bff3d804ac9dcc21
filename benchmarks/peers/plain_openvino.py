"""A plain script that extracts features with OpenVINO: what Darkroom's step `extract` is held to.

`plain_openvino.py NETWORK.xml FOLDER OUT.npy`: every picture below FOLDER is decoded and resized by
as many threads as there are cores, goes through the network in asynchronous requests of one
picture (OpenVINO's throughput hint, bfloat16 where the processor has it), and all features are
written at once. Prints how many and how long, imports and compilation included.
"""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

started = time.perf_counter()
import cv2  # noqa: E402
import numpy as np  # noqa: E402
import openvino  # noqa: E402


def main(network: str, folder: str, out: str) -> None:
    """Extract, save, print."""
    core = openvino.Core()
    ready = core.compile_model(core.read_model(network), "CPU", {"PERFORMANCE_HINT": "THROUGHPUT"})
    side = ready.input(0).shape[1]
    paths = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    features = np.empty((len(paths), *ready.output(0).shape[1:]), np.float16)

    def pixels(path: Path) -> np.ndarray:
        rgb = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB).astype(np.float32)
        return cv2.resize(rgb, (side, side))[None]

    def keep(request: openvino.InferRequest, place: int) -> None:
        features[place] = request.get_output_tensor(0).data[0]

    queue = openvino.AsyncInferQueue(ready)
    queue.set_callback(keep)
    ahead = 64
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(paths), ahead):
            for place, picture in enumerate(pool.map(pixels, paths[start : start + ahead]), start):
                queue.start_async({0: picture}, place)
        queue.wait_all()
    np.save(out, features)
    seconds = time.perf_counter() - started
    rate = len(paths) / seconds
    print(f"images={len(paths)} seconds={seconds:.2f} images_per_second={rate:.1f}")


main(*sys.argv[1:])
