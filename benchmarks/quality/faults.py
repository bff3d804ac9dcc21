"""Runs that are killed at random moments, and runs on a disk that is full at every write.

Kills: a run with a server of its own, a refresh after new pictures, classifying, and publishing
again, each of them ended by SIGKILL, SIGTERM or Ctrl-C at a random moment, again and again until it
comes to its end. Then what it gave has to be what an undisturbed workspace gave, `cache verify` has
to find everything whole, and no process, held lock or half-written file may be left.

Full disk: a run in a workspace on a file system of its own that has a little more room each time,
so that it fails at one write after the other. Each failure has to be one line, and the end the same
as on a large disk. Needs the right to mount (root); it is left out without.

FAULTS=100 is the number of kills. About half an hour.
"""

import contextlib
import csv
import fcntl
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from benchmarks.measuring import PROJECT, write
from storage import atomic
from storage.references import stored
from storage.workspace import Workspace

KILLS = int(os.environ.get("FAULTS", "100"))
PER_CLASS, NEW = 30, 4
ATTEMPTS = 6
SEED = 0
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
NAME = "fault-drill"
FULL = "no space left"
# What a disk grows by before each further attempt (bytes).
STEPS = (4_096, 80_000)
DISK = 64 << 20
REFRESH = (
    "import json, sys\nfrom flows.refresh import refresh\nfrom flows.parameters import Experiment\n"
    "tree = json.load(open(sys.argv[1]))['deployments'][0]['parameters']\n"
    "one = Experiment.model_validate(tree)\n"
    "refresh(**{name: getattr(one, name) for name in type(one).model_fields})\n"
)


class Drill(NamedTuple):
    """A process that is killed: its words, whether it starts its own server, what it gives."""

    name: str
    words: list[str]
    given: Callable[[Workspace], Any]
    own_server: bool = False


class Place(NamedTuple):
    """Where one series of drills happens."""

    folder: Path
    url: str

    @property
    def workspace(self) -> Workspace:
        """Its workspace."""
        return Workspace(self.folder / "workspace")

    @property
    def pictures(self) -> Path:
        """The source, in the same place for all: names are part of what is compared."""
        return self.folder.parent / "pictures"

    def environment(self, *, own_server: bool) -> dict[str, str]:
        """What a process of a drill is started with."""
        kept = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
        prefect = {} if own_server else {"PREFECT_API_URL": self.url}
        home = str(self.folder.parent / "prefect")
        return kept | prefect | {"DARKROOM_HOME": str(self.workspace.root), "PREFECT_HOME": home}


def main() -> None:
    """Both, and their figures."""
    generator = random.Random(SEED)  # noqa: S311 - chance, no secret
    with tempfile.TemporaryDirectory() as name, prefect_server(Path(name)) as url:
        folder = Path(name)
        kills = killed(folder, url, generator)
        full = disk_full(folder, url, generator)
    write("faults", {"kills": kills, "disk_full": full})


# --- kills


def killed(folder: Path, url: str, generator: random.Random) -> dict[str, Any]:
    """Series of drills, each in a workspace of its own, until there were enough kills."""
    undisturbed, seconds = series(Place(folder / "undisturbed", url), None, {})
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for number in range(KILLS):
        if sum(counts.values()) >= KILLS:
            break
        place = Place(folder / f"series-{number}", url)

        def kill(process: subprocess.Popen[bytes], lasts: float) -> bool:
            if sum(counts.values()) >= KILLS:
                return False
            hit = struck(process, generator.uniform(0, lasts), generator.choice(SIGNALS))
            counts.update([hit] if hit else [])
            return bool(hit)

        given, _ = series(place, kill, seconds)
        wrong += [f"{number}: {one}" for one in given if given[one] != undisturbed[one]]
        wrong += [f"{number}: {one}" for one in left_behind(place)]
        print(f"{sum(counts.values())} kills, {len(wrong)} wrong", flush=True)
    return {
        "kills": sum(counts.values()),
        "by_signal": dict(counts),
        "series": number,
        "wrong": wrong,
    }


def series(
    place: Place,
    kill: Callable[[subprocess.Popen[bytes], float], bool] | None,
    lasts: dict[str, float],
) -> tuple[dict[str, Any], dict[str, float]]:
    """What each drill gave, and how many seconds it took when nobody disturbed it."""
    place.folder.mkdir()
    made(place.pictures, 0, PER_CLASS)
    file = place.folder.parent / "prefect.yaml"
    file.write_text(json.dumps({"deployments": [{"name": NAME, "parameters": tree(place)}]}))
    given, seconds = {}, {}
    for drill in drills(place, file):
        if drill.name == "refresh":
            made(place.pictures, PER_CLASS, NEW)
        started = time.perf_counter()
        for attempt in range(ATTEMPTS, -1, -1):
            process = started_by(drill, place)
            hit = kill is not None and attempt > 0 and kill(process, lasts[drill.name])
            _, err = process.communicate()
            if not hit and process.returncode == 0:
                break
            if not hit:
                raise SystemExit(f"{drill.name} ended with {process.returncode}:\n{err.decode()}")
        seconds[drill.name] = time.perf_counter() - started
        given[drill.name] = drill.given(place.workspace)
    for path in place.pictures.glob("*/new-*"):
        path.unlink()
    return given, seconds


def drills(place: Place, file: Path) -> list[Drill]:
    """In this order: each stands on what those before it made."""
    darkroom = [sys.executable, "-m", "flows"]
    table = place.folder / "answers.csv"
    own = ["--file", str(file)]
    again = ["run", NAME, *own, "--rerun", "publish"]
    return [
        Drill("run", [*darkroom, "run", NAME, *own], digests, own_server=True),
        Drill("refresh", [sys.executable, "-c", REFRESH, str(file)], digests),
        Drill(
            "classify",
            [*darkroom, "classify", NAME, str(place.pictures), "--table", str(table)],
            lambda _: list(csv.reader(table.open(encoding="utf-8"))),
        ),
        Drill("publish", [*darkroom, *again], digests),
    ]


def started_by(drill: Drill, place: Place) -> subprocess.Popen[bytes]:
    """Its process, in a group of its own, as in a terminal."""
    return subprocess.Popen(
        drill.words,
        cwd=PROJECT,
        env=place.environment(own_server=drill.own_server),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def struck(process: subprocess.Popen[bytes], seconds: float, number: signal.Signals) -> str:
    """The signal's name where the process was still there after so long; '' where it was not.

    A terminal's Ctrl-C reaches every process of the group.
    """
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
        return ""
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
    return number.name


def digests(workspace: Workspace) -> dict[str, Any]:
    """Of what each step made last, and of the published model."""
    found = {}
    for step in ("acquire", "clean", "split", "extract", "train", "evaluate"):
        last = max(workspace.results.glob(f"{step}-*"), key=os.path.getmtime)
        found[step] = stored(last).digest
    for kept in sorted((workspace.root / "splits" / "lineage").glob("*.json")):
        found[kept.name] = kept.read_text(encoding="utf-8")
    return found


def left_behind(place: Place) -> list[str]:
    """What should not be there once nothing runs any more."""
    time.sleep(1)
    workspace = place.workspace
    root = str(workspace.root)
    mine = os.getpid()
    found = [f"process {pid}" for pid in processes() if pid != mine and root in environment_of(pid)]
    halves = workspace.root.rglob(f"{atomic.TEMPORARY_PREFIX}*")
    found += [f"half a file: {path.relative_to(workspace.root)}" for path in halves]
    found += [f"held: {lock.name}" for lock in workspace.locks.glob("*.lock") if is_held(lock)]
    done = subprocess.run(
        [sys.executable, "-m", "flows", "cache", "verify"], cwd=PROJECT, capture_output=True,
        text=True, check=False, env=place.environment(own_server=False),
    )  # fmt: skip
    return found if done.returncode == 0 else [*found, done.stdout]


def processes() -> Iterator[int]:
    """Of this machine."""
    return (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())


def environment_of(process: int) -> str:
    """'' of one that is gone, or another's."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/environ").read_bytes().decode(errors="replace")
    return ""


def is_held(lock: Path) -> bool:
    """Whether some process has it."""
    with lock.open("rb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


# --- a full disk


def disk_full(folder: Path, url: str, generator: random.Random) -> dict[str, Any] | None:
    """The same small run with a little more room each time; None where nothing can be mounted."""
    wanted, _ = once(Place(folder / "large-disk", url), [])
    place = Place(folder / "full-disk", url)
    (place.folder / "workspace").mkdir(parents=True)
    with mounted(folder / "disk.img", place.workspace.root) as grow:
        if grow is None:
            return None
        failures, wrong, where = 0, [], Counter[str]()
        while True:
            given, err = once(place, [])
            if given is not None:
                break
            failures += 1
            lines = err.strip().splitlines()
            where[place_of(lines[-1])] += 1
            if FULL not in lines[-1] or "Traceback" in err:
                wrong.append(err[-2000:])
            grow(generator.randint(*STEPS))
        wrong += ["other digests"] if given != wanted else []
        wrong += left_behind(place)
    return {"failures": failures, "by_place": dict(where), "wrong": wrong}


def once(place: Place, words: list[str]) -> tuple[dict[str, Any] | None, str]:
    """What a run of a small network gave, None where it failed; and what it said."""
    place.folder.mkdir(exist_ok=True)
    made(place.pictures, 0, PER_CLASS)
    file = place.folder.parent / "small.yaml"
    model = {"kind": "network", "network": "lenet5", "image_size": 32, "precision": "float32"}
    parameters = tree(place) | {"model": model, "training": {"epochs": 2}}
    parameters |= {"clean": {"copies": "resaved"}}
    file.write_text(json.dumps({"deployments": [{"name": NAME, "parameters": parameters}]}))
    done = subprocess.run(
        [sys.executable, "-m", "flows", "run", NAME, "--file", str(file), *words], cwd=PROJECT,
        env=place.environment(own_server=False), capture_output=True, text=True, check=False,
    )  # fmt: skip
    return (digests(place.workspace) if done.returncode == 0 else None), done.stderr


def place_of(line: str) -> str:
    """Which part of the workspace could not be written, by what the last line says."""
    found = re.search(r"/workspace/([\w.-]+)", line)
    return found[1] if found else "elsewhere"


@contextlib.contextmanager
def mounted(image: Path, place: Path) -> Iterator[Callable[[int], None] | None]:
    """A file system of its own at `place`, full but for what the function yielded gives free."""
    with image.open("wb") as file:
        file.truncate(DISK)
    made_it = subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=False).returncode == 0
    mount = ["mount", "-o", "loop", str(image), str(place)]
    if not made_it or subprocess.run(mount, check=False).returncode:
        yield None
        return
    ballast = place / "lost+found" / "ballast"
    try:
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))

        def grow(count: int) -> None:
            os.truncate(ballast, max(0, ballast.stat().st_size - count))

        yield grow
    finally:
        subprocess.run(["umount", str(place)], check=True)


# --- what both need


def tree(place: Place) -> dict[str, Any]:
    """An experiment that any machine runs in seconds."""
    return {
        "experiment": NAME,
        "source": {"kind": "folders", "folder": str(place.pictures)},
        "split": {"fractions": {"train": 0.6, "validation": 0.2, "test": 0.2}},
        "model": {"backbone": "EfficientNetLite0", "image_size": 64, "head": {"kind": "linear"}},
    }


def made(folder: Path, first: int, count: int) -> None:
    """Pictures `first` to `first + count` of two classes, where they are not there yet."""
    for label in ("warm", "cold"):
        (folder / label).mkdir(parents=True, exist_ok=True)
        for number in range(first, first + count):
            path = folder / label / f"{'new' if first else 'old'}-{number}.jpg"
            if not path.exists():
                random_picture(label, number).save(path, quality=92)
                os.utime(path, (1_500_000_000, 1_500_000_000))


def random_picture(label: str, number: int) -> Image.Image:
    """Smooth noise, redder or bluer."""
    values = np.random.default_rng([len(label), ord(label[0]), number]).integers(0, 256, (6, 6, 3))
    values[..., 0 if label == "warm" else 2] = values[..., 1] // 4 + 190
    return Image.fromarray(values.astype(np.uint8)).resize((96, 80), Image.Resampling.BICUBIC)


@contextlib.contextmanager
def prefect_server(folder: Path) -> Iterator[str]:
    """The address of a server that all drills but the first use."""
    from flows.orchestration.server import API_URL, OwnServer

    before = dict(os.environ)
    os.environ["PREFECT_HOME"] = str(folder / "prefect")
    os.environ.pop(API_URL, None)
    server = OwnServer()
    try:
        server.wait()
        yield server.url
    finally:
        server.stop()
        os.environ.clear()
        os.environ.update(before)


if __name__ == "__main__":
    main()
