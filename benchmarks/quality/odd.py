"""Pictures made odd on purpose: how many are found among others, beside CleanVision.

Of every class of ../shared/data/caltech-101 one picture in ten is darkened, overexposed, blurred,
emptied, cut to a strip or made grey, at random strengths; the others stay. Counted are the odd ones
found as their kind, the others that are called so too, and the seconds that it took.

CLEANVISION names a Python that has cleanvision 0.3.7; without it the peer is left out.
"""

import json
import os
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

from benchmarks.measuring import FOLDER, SHARED, write
from storage.statuses import Status
from tasks.clean.facts import facts_of
from tasks.clean.odd_pictures import odd
from tasks.pictures.parameters import MAX_PIXELS

SOURCE = SHARED / "data" / "caltech-101"
PEER = FOLDER / "peers" / "cleanvision_issues.py"
EVERY, SEED = 10, 0
Edit = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def emptied(picture: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """A wall: one colour with the noise of a camera."""
    colour = draw.integers(40, 216, 3)
    return (colour + draw.normal(0, 2, picture.shape)).clip(0, 255).astype(np.uint8)


def blurred(picture: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Out of focus."""
    return cv2.GaussianBlur(picture, (0, 0), max(picture.shape) * draw.uniform(0.02, 0.04))


def grey(picture: np.ndarray, _: np.random.Generator) -> np.ndarray:
    """Without colours."""
    return cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)


def strip(picture: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """A fifth to a tenth of the height."""
    height = int(picture.shape[0] * draw.uniform(0.1, 0.2))
    return picture[picture.shape[0] // 2 :][:height]


EDITS: dict[str, Edit] = {
    "dark": lambda one, draw: (one * draw.uniform(0.05, 0.18)).astype(np.uint8),
    "bright": lambda one, draw: (255 - (255 - one) * draw.uniform(0.02, 0.11)).astype(np.uint8),
    "blurred": blurred,
    "nearly empty": emptied,
    "odd shape": strip,
    "grey among colours": grey,
}


def made(folder: Path) -> dict[str, str]:
    """Write all pictures to class folders; name -> kind of those that were made odd."""
    draw, kinds, found = np.random.default_rng(SEED), list(EDITS), {}
    for number, path in enumerate(sorted(SOURCE.glob("*/*.jpg"))):
        name = f"{path.parent.name}/{path.name}"
        target = folder / name
        target.parent.mkdir(exist_ok=True)
        if number % EVERY:
            target.write_bytes(path.read_bytes())
            continue
        found[name] = kinds[number // EVERY % len(kinds)]
        odd_one = EDITS[found[name]](cv2.imread(str(path)), draw)
        cv2.imwrite(str(target), odd_one, [cv2.IMWRITE_JPEG_QUALITY, 90])
    return found


def ours(folder: Path) -> dict[str, list[str]]:
    """Kind -> names, by the facts that `clean` computes of every picture."""
    paths = sorted(folder.glob("*/*.jpg"))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        facts = list(pool.map(lambda path: facts_of(path.read_bytes(), MAX_PIXELS), paths))
    names = [path.relative_to(folder).as_posix() for path in paths]
    rows = pd.DataFrame(facts).assign(image=names, name=names, status=str(Status.KEPT))
    rows["label"] = rows["name"].str.partition("/")[0]
    return {one.kind: list(one.table["name"]) for one in odd(rows)}


def theirs(folder: Path, python: str) -> dict[str, list[str]]:
    """The same, as CleanVision has it."""
    done = subprocess.run([python, PEER, folder], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def judged(
    found: dict[str, Iterable[str]], truth: dict[str, str], seconds: float
) -> dict[str, Any]:
    """Of each kind: made so, found as that kind, untouched pictures called so."""
    there = Counter(truth.values())
    kinds = {
        kind: {
            "made": there[kind],
            "found": sum(truth.get(name) == kind for name in found.get(kind, ())),
            "untouched": sum(name not in truth for name in found.get(kind, ())),
        }
        for kind in EDITS
    }
    share = sum(one["found"] for one in kinds.values()) / len(truth)
    return {"seconds": round(seconds, 1), "found": round(share, 4), "kinds": kinds}


def main() -> None:
    """Both on the same pictures."""
    python = os.environ.get("CLEANVISION")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        truth = made(folder)
        result = {"pictures": len(list(folder.glob("*/*"))), "odd": len(truth)}
        for peer, find in (
            ("darkroom", ours),
            *([("cleanvision", lambda one: theirs(one, python))] if python else []),
        ):
            started = time.perf_counter()
            found = find(folder)
            result[peer] = judged(found, truth, time.perf_counter() - started)
    write("odd", result)


if __name__ == "__main__":
    main()
