"""Finding copies among 10,000 and 100,000 pictures, and among 1 % new ones: seconds and memory.

Pictures are made for it: shapes on a shaded ground, 128 pixels on a side, each another one. Seconds
are those of finding, without decoding for clean's facts; `beyond` leaves out looking (decoding, and
EfficientNetLite0), which a run that extracts those features needs anyhow. Three quarters of an
hour, and three gigabytes.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.measuring import PROJECT, run, write
from storage.images import ImageStore
from storage.workspace import HOME_VARIABLE, Workspace

SIDE = 128
SIZES = (10_000, 100_000)
NEW = 0.01


def drawn(number: int) -> np.ndarray:
    """(SIDE, SIDE, 3) uint8: shapes of all sizes on a shaded ground, like no other number's."""
    draw = np.random.default_rng(number)
    corners = draw.integers(0, 256, (2, 2, 3)).astype(np.float32)
    ground = cv2.resize(corners, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    grain = draw.normal(0, draw.uniform(2, 12), (SIDE // 2, SIDE // 2, 3)).astype(np.float32)
    picture = ground + cv2.resize(grain, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    for _ in range(int(draw.integers(15, 60))):
        centre = [int(value) for value in draw.integers(0, SIDE, 2)]
        axes = [int(value) for value in draw.integers(2, SIDE // 4, 2)]
        colour = [float(value) for value in draw.integers(0, 256, 3)]
        cv2.ellipse(picture, centre, axes, draw.uniform(0, 180), 0, 360, colour, -1, cv2.LINE_AA)
    return np.rint(picture).clip(0, 255).astype(np.uint8)


def make(count: int, first: int) -> list[str]:
    """Store pictures `first` to `first + count`; their names."""
    store = ImageStore(Workspace.current().images)
    names = []
    for number in range(first, first + count):
        _, encoded = cv2.imencode(".jpg", drawn(number))
        names.append(store.add(encoded.tobytes()))
    return names


def find(names: list[str]) -> dict[str, float]:
    """Seconds of looking at those that are new, and of the rest."""
    from tasks.clean.copies import finding
    from tasks.clean.copies.looking import look_at, missing
    from tasks.clean.parameters import LOOKING
    from tasks.features.precision import resolve
    from tasks.running.progress import silent

    workspace = Workspace.current()
    network = LOOKING.network.model_copy(update={"precision": resolve("auto")})
    looking = LOOKING.model_copy(update={"network": network})
    started = time.perf_counter()
    new = missing(workspace, names)
    look_at(workspace, new, looking, silent)
    looked = time.perf_counter()
    pairs = len(finding.find(workspace, names, looking).pairs)
    return {
        "looking": looked - started, "beyond": time.perf_counter() - looked, "pairs": pairs
    }  # fmt: skip


def child(home: Path, count: int, *, make_them: bool) -> dict[str, Any]:
    """One measurement in a process of its own."""
    listed = home / "names.json"
    if make_them:
        known = json.loads(listed.read_text()) if listed.is_file() else []
        known += make(count - len(known), len(known))
        listed.write_text(json.dumps(known))
        return {}
    return find(json.loads(listed.read_text())[:count])


def measured(home: Path, count: int) -> dict[str, Any]:
    """Make pictures up to so many, and find copies among them."""
    words = [sys.executable, "-m", "benchmarks.speed.copies_at_scale", str(home), str(count)]
    environment = {HOME_VARIABLE: str(home), "PYTHONPATH": str(PROJECT)}
    run([*words, "make"], **environment)
    done = run([*words, "find"], **environment)
    said = json.loads(done.output.strip().splitlines()[-1])
    print(f"{count} pictures: {said}", file=sys.stderr, flush=True)
    return {
        "pictures": count,
        "looking_seconds": round(said["looking"], 1),
        "beyond_seconds": round(said["beyond"], 1),
        "beyond_ms_per_picture": round(1000 * said["beyond"] / count, 2),
        "pairs": said["pairs"],
        "peak_megabytes": round(done.peak_megabytes),
    }


def main() -> None:
    """Both sizes, and 1 % more."""
    found = {}
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            found[str(size)] = first = measured(Path(folder), size)
            found[f"{size}, 1 % new"] = more = measured(Path(folder), round(size * (1 + NEW)))
        total = [one["looking_seconds"] + one["beyond_seconds"] for one in (first, more)]
        more["share_of_the_first"] = round(total[1] / total[0], 4)
    write("copies_at_scale", found)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        os.environ[HOME_VARIABLE] = sys.argv[1]
        print(
            json.dumps(child(Path(sys.argv[1]), int(sys.argv[2]), make_them=sys.argv[3] == "make"))
        )
    else:
        main()
