"""What it costs to look whether what is stored is what was stored, whenever it is first read.

4,000 pictures made for it, `my-pictures`: seconds of a first run, and of the same again, that go
into looking at the SHA-256 of pictures, shards and result folders when they are read (those that
name what is new are not counted). Seconds of threads are added up: a run waits for fewer.
"""

import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.measuring import PROJECT, run, write
from storage.workspace import HOME_VARIABLE

PICTURES = 4000
CLASSES = 4
SIZE = (400, 350)


def make(folder: Path) -> None:
    """Pictures like photographs in size: smooth colours with grain, by class."""
    draw = np.random.default_rng(0)
    for number in range(PICTURES):
        label = number % CLASSES
        coarse = draw.normal(60 + 40 * label, 40, (8, 8, 3)).clip(0, 255).astype(np.uint8)
        picture = cv2.resize(coarse, SIZE, interpolation=cv2.INTER_CUBIC).astype(np.float32)
        picture += draw.normal(0, 8, picture.shape)
        place = folder / f"class {label}" / f"{number}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(place), picture.clip(0, 255).astype(np.uint8))


class Clock:
    """Seconds that calls took, over all threads."""

    def __init__(self) -> None:
        self.seconds, self.lock = 0.0, threading.Lock()

    def around(self, work: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, timed."""

        def timed(*given: Any) -> Any:
            started = time.perf_counter()
            found = work(*given)
            taken = time.perf_counter() - started
            with self.lock:
                self.seconds += taken
            return found

        return timed


def child(folder: Path) -> dict[str, float]:
    """One run in this process, with its checks timed."""
    from flows import runs
    from flows.experiments import load
    from storage import digests, fingerprints
    from storage.images import ImageStore

    clock = Clock()
    look = clock.around(digests.of_bytes)

    def read(store: ImageStore, name: str) -> bytes:
        data = store.path(name).read_bytes()
        assert name.startswith(look(data))
        return data

    ImageStore.read = read
    fingerprints.holds = clock.around(fingerprints.holds)
    started = time.perf_counter()
    runs.run(load("my-pictures", [f"source.folder={folder}"]))
    return {
        "run_seconds": round(time.perf_counter() - started, 2),
        "checking_seconds": round(clock.seconds, 2),
    }


def main() -> None:
    """A first run, and the same again."""
    with tempfile.TemporaryDirectory() as place:
        pictures = Path(place, "pictures")
        make(pictures)
        words = [sys.executable, "-m", "benchmarks.speed.checksums", str(pictures)]
        environment = {HOME_VARIABLE: str(Path(place, "workspace")), "PYTHONPATH": str(PROJECT)}
        found = {}
        for name in ("first run", "the same again"):
            done = run(words, **environment)
            found[name] = one = json.loads(done.output.strip().splitlines()[-1])
            one["share"] = round(one["checking_seconds"] / one["run_seconds"], 4)
        write("checksums", found)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        os.chdir(Path(sys.argv[1]).parent)
        print(json.dumps(child(Path(sys.argv[1]))))
    else:
        main()
