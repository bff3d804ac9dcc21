"""No waiting at the door: commands with little to do, beside `python -c "import prefect"`.

Five rounds, each of the import, `darkroom explain digits`, `darkroom run digits` with everything
stored, and `darkroom run digits --rerun split`, until its first step begins. Ratios are medians
over the rounds. A workspace that DARKROOM_HOME names is used, else one is filled first. No Prefect
server is named; Python's bytecode is kept, as it is for users.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measuring import PROJECT, run, write

ROUNDS = 5
DARKROOM = [sys.executable, "-m", "flows"]
LINE = re.compile(r"^ *(?P<step>\w+) +(executed|cached) +(?P<seconds>[\d.]+) s ")
WITHOUT = ("PREFECT_API_URL", "PYTHONDONTWRITEBYTECODE")


def until_first_step(environment: dict[str, str]) -> float:
    """Seconds from the command to the beginning of the first step it calls."""
    words = [*DARKROOM, "run", "digits", "--rerun", "split", "--until", "split"]
    started = time.perf_counter()
    child = subprocess.Popen(
        words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, cwd=PROJECT,
        env=os.environ | environment,
    )  # fmt: skip
    assert child.stderr is not None
    begun = 0.0
    for line in child.stderr:
        found = LINE.match(line)
        if found and not begun:
            begun = time.perf_counter() - started - float(found["seconds"])
    if child.wait() or not begun:
        raise SystemExit(f"{words} ended with {child.returncode}")
    return begun


def main() -> None:
    """The first run fills the workspace and makes Prefect's database; then the rounds."""
    for name in WITHOUT:
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory() as folder:
        home = {
            "DARKROOM_HOME": os.environ.get("DARKROOM_HOME") or str(Path(folder) / "workspace"),
            "PREFECT_HOME": str(Path(folder) / "prefect"),
        }
        run([*DARKROOM, "run", "digits"], **home)
        rounds: dict[str, list[float]] = {"explain": [], "cached_run": [], "first_step": []}
        imports = []
        for _ in range(ROUNDS):
            imports.append(run([sys.executable, "-c", "import prefect"], **home).seconds)
            rounds["explain"].append(run([*DARKROOM, "explain", "digits"], **home).seconds)
            cached = run([*DARKROOM, "run", "digits", "--json"], **home)
            states = {one["state"] for one in json.loads(cached.output.splitlines()[-1])["steps"]}
            assert states == {"cached"}, states
            rounds["cached_run"].append(cached.seconds)
            rounds["first_step"].append(until_first_step(home))
    result = {"import_prefect_seconds": round(statistics.median(imports), 2)}
    for name, seconds in rounds.items():
        ratios = [one / base for one, base in zip(seconds, imports, strict=True)]
        result[f"{name}_seconds"] = round(statistics.median(seconds), 2)
        result[f"{name}_times_the_import"] = round(statistics.median(ratios), 2)
    write("start_up", result)


if __name__ == "__main__":
    main()
