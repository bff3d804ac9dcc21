"""Extraction here and by Ray's workers: start, first result, pictures per second, memory.

The same photographs of 400 x 350, EfficientNetLite0 in OpenVINO (ENGINES=VGG16 for TensorFlow's
VGG16 at 128 pixels), each engine in a process and a workspace of its own, in turns, ROUNDS times;
medians. Where nothing is to be gained on one machine, the loss is what a cluster has to win back:
`break_even` is how many pictures that takes if it had twice the processors. Ten minutes.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.measuring import write

PICTURES, ROUNDS = 4096, 3
ENGINES: dict[str, dict[str, Any]] = {
    "here": {"kind": "here"},
    "ray, 1 worker": {"kind": "ray", "workers": 1},
    "ray, 2 workers": {"kind": "ray", "workers": 2},
}
VGG16 = {"backbone": "VGG16", "image_size": 128, "mode": "caffe"}
LITE = {
    "backbone": "EfficientNetLite0", "image_size": 224, "mode": "lite", "runtime": "openvino",
}  # fmt: skip


def network() -> dict[str, Any]:
    """What extracts."""
    from tasks.features.precision import resolve

    chosen = VGG16 if os.environ.get("ENGINES") == "VGG16" else LITE
    return chosen | {"precision": resolve("auto")}


def measured(engine: dict[str, Any], count: int) -> dict[str, Any]:
    """One engine, in this process: seconds from nothing on, and what the shards are called."""
    import numpy as np

    from benchmarks.speed.busy_cores import photographs
    from storage.images import ImageStore
    from storage.workspace import Workspace
    from tasks.extract.job import ExtractionJob
    from tasks.features.parameters import Extraction
    from tasks.running.engine import mapping
    from tasks.running.engine.parameters import Engine

    workspace = Workspace.current()
    names = photographs(ImageStore(workspace.images), count)
    begun = time.perf_counter()
    job = ExtractionJob(Extraction(**network()), None)
    job.prepared  # noqa: B018 - loads the network
    told: list[tuple[float, int]] = []
    memory = Memory()
    with memory:
        mapping.mapped(
            Engine(**engine), job, names, lambda n: told.append((time.perf_counter() - begun, n))
        )
    mapping.end()
    first, last = told[0][0], told[-1][0]
    done = np.cumsum([number for _, number in told])
    # From the first unit that is whole to the last: what a longer run would go on at.
    return {
        "first_result_s": first,
        "total_s": last,
        "pictures_per_s": float(done[-1] - done[0]) / (last - first),
        "largest_mb": memory.largest,
        "all_mb": memory.together,
        "shards": sorted(path.name for path in job.store.shards.paths()),
    }


class Memory:
    """Resident memory of this process and its descendants while it is open, in MB."""

    def __init__(self) -> None:
        self.largest = self.together = 0.0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        import psutil

        own = psutil.Process()
        while not self._end.wait(0.5):
            found = [own.memory_info().rss / 1e6]
            for child in own.children(recursive=True):
                try:
                    found.append(child.memory_info().rss / 1e6)
                except psutil.Error:
                    continue
            self.together = max(self.together, sum(found))
            self.largest = max(self.largest, *found)


def main() -> None:
    """Each round prints as it ends."""
    if len(sys.argv) > 2 and sys.argv[1] == "--one":
        print(json.dumps(measured(json.loads(sys.argv[2]), int(sys.argv[3]))))
        return
    rounds: dict[str, list[dict[str, Any]]] = {name: [] for name in ENGINES}
    count = int(os.environ.get("ENGINES_PICTURES", PICTURES))
    for _ in range(ROUNDS):
        for name, engine in ENGINES.items():
            with tempfile.TemporaryDirectory() as place:
                done = subprocess.run(
                    [sys.executable, "-m", __name__, "--one", json.dumps(engine), str(count)],
                    env=os.environ | {"DARKROOM_HOME": place}, capture_output=True, text=True,
                    check=True, cwd=Path(__file__).parents[2],
                )  # fmt: skip
            found = json.loads(done.stdout.strip().splitlines()[-1])
            rounds[name].append(found)
            print(name, {k: round(v, 1) for k, v in found.items() if k != "shards"}, flush=True)
    rows = {
        name: {
            key: round(statistics.median(one[key] for one in found), 1)
            for key in found[0]
            if key != "shards"
        }
        for name, found in rounds.items()
    }
    here, two = rows["here"], rows["ray, 2 workers"]
    late = two["first_result_s"] - here["first_result_s"]
    faster = 2 * two["pictures_per_s"]
    break_even = late / (1 / here["pictures_per_s"] - 1 / faster)
    names = {json.dumps(one["shards"]) for found in rounds.values() for one in found}
    write(
        "engines",
        {
            "pictures": count,
            "network": network(),
            "rows": rows,
            "share_of_here": round(two["pictures_per_s"] / here["pictures_per_s"], 3),
            "break_even_pictures_with_twice_the_processors": round(break_even),
            "same_shards": len(names) == 1,
        },
    )


if __name__ == "__main__":
    main()
