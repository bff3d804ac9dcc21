"""Cost in proportion: 1,000, 10,000 and 100,000 pictures; the same again; and with 1 % new ones.

Pictures are made for it, 64 pixels on a side, in ten class folders; each run is `darkroom run
my-pictures` with VGG16 at 32 pixels, a dense head and 3 epochs. For every step its seconds and the
most memory that the process held during it, as Linux tells. Half an hour, and five gigabytes;
GROWTH_SIZES=1000,10000 takes others, GROWTH_FOLDER keeps the pictures between benchmarks.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.measuring import PROJECT, write
from benchmarks.speed.copies_at_scale import drawn

CLASSES = 10
SIDE = 64
NEW = 0.01
SIZES = os.environ.get("GROWTH_SIZES", "1000,10000,100000")
SETTINGS = {
    "model.backbone": "VGG16",
    "model.image_size": "32",
    "model.head.kind": "dense",
    "training.epochs": "3",
}
LINE = re.compile(r"^ *(?P<step>\w+) +(executed|cached) +[\d.]+ s ")
NOT_COMPARED = ("train", "evaluate")


def make(folder: Path, first: int, count: int) -> None:
    """Pictures `first` to `first + count`, their classes in turn; those that exist are kept."""
    for number in range(CLASSES):
        (folder / f"class {number}").mkdir(parents=True, exist_ok=True)
    parts = [
        range(start, min(start + 500, first + count)) for start in range(first, first + count, 500)
    ]
    with ProcessPoolExecutor() as workers:
        list(workers.map(partial(_make, folder), parts))


def file_of(folder: Path, number: int) -> Path:
    """Where a picture lies."""
    return folder / f"class {number % CLASSES}" / f"{number:07d}.jpg"


def _make(folder: Path, numbers: range) -> None:
    for number in numbers:
        file = file_of(folder, number)
        if not file.exists():
            kind = number % CLASSES
            small = cv2.resize(drawn(number), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
            tint = np.array([0.4 + 0.06 * kind, 0.7, 1 - 0.06 * kind])
            cv2.imwrite(os.fspath(file), np.rint(small * tint).astype(np.uint8))


def _peak_megabytes(process: int) -> float:
    """The most memory held since the last call, in MB; counting begins anew (proc(5))."""
    with contextlib.suppress(OSError):
        status = Path(f"/proc/{process}/status").read_text()
        Path(f"/proc/{process}/clear_refs").write_text("5")
        return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1024
    return 0.0


def run(folder: Path, home: Path) -> dict[str, Any]:
    """One run: wall seconds, and seconds and memory of each step."""
    words = [f"source.folder={folder}", *(f"{name}={value}" for name, value in SETTINGS.items())]
    command = [sys.executable, "-m", "flows", "run", "my-pictures", "--json"]
    command += [part for word in words for part in ("--set", word)]
    environment = os.environ | {
        "DARKROOM_HOME": str(home / "workspace"), "PREFECT_HOME": str(home / "prefect"),
    }  # fmt: skip
    with tempfile.TemporaryFile("w+") as out:
        started = time.perf_counter()
        child = subprocess.Popen(
            command, cwd=PROJECT, env=environment, stdout=out, stderr=subprocess.PIPE, text=True
        )
        assert child.stderr is not None
        peaks = {}
        for line in child.stderr:
            if found := LINE.match(line):
                peaks[found["step"]] = _peak_megabytes(child.pid)
        if child.wait() not in (0, 3):
            raise SystemExit(f"{command} ended with {child.returncode}")
        wall = time.perf_counter() - started
        out.seek(0)
        steps = json.loads(out.read().strip().splitlines()[-1])["steps"]
    return {
        "wall_s": round(wall, 1),
        "steps_s": {step["name"]: round(step["seconds"], 1) for step in steps},
        "peak_mb": {name: round(megabytes) for name, megabytes in peaks.items()},
    }


def beyond_training(figures: dict[str, Any]) -> float:
    """Wall seconds less those of training and evaluating."""
    return figures["wall_s"] - sum(figures["steps_s"].get(name, 0) for name in NOT_COMPARED)


def at(size: int, pictures: Path) -> dict[str, Any]:
    """The four rows of one size."""
    with tempfile.TemporaryDirectory() as place:
        home, folder = Path(place), pictures / f"{size}"
        new = int(size * NEW)
        for number in range(size, size + new):
            file_of(folder, number).unlink(missing_ok=True)
        make(folder, 0, size)
        rows = {"first": run(folder, home), "again": run(folder, home)}
        make(folder, size, new)
        rows["more"] = run(folder, home)
        files = sum(len(names) for _, _, names in os.walk(home / "workspace"))
    shares = {
        "all_steps": round(rows["more"]["wall_s"] / rows["first"]["wall_s"], 3),
        "without_training": round(
            beyond_training(rows["more"]) / beyond_training(rows["first"]), 3
        ),
    }
    return {**rows, "more_beside_first": shares, "files": files}


def main() -> None:
    """Each size prints as it ends; then all are written."""
    with tempfile.TemporaryDirectory() as temporary:
        pictures = Path(os.environ.get("GROWTH_FOLDER", temporary))
        rows = {}
        for size in map(int, SIZES.split(",")):
            rows[size] = at(size, pictures)
            print(size, json.dumps(rows[size]), flush=True)
    write("growth", {"settings": SETTINGS, "sizes": rows})


if __name__ == "__main__":
    main()
