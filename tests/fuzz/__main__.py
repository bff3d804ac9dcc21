"""`make fuzz`: every target, or those that are named, each for ten minutes.

    python -m tests.fuzz [--minutes M] [--jobs J] [TARGET ...]

Needs atheris, which has wheels for Linux. What is found stands in `build/fuzz/TARGET/`; once it is
mended, its bytes go to `tests/fuzz/corpus/TARGET/`, so that the suite tries them for ever.
"""

import argparse
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from tests.fuzz.targets import TARGETS
from tests.project import PROJECT

FOLDER = PROJECT / "build" / "fuzz"
RUNS = re.compile(r"stat::number_of_executed_units:\s+(\d+)")
PEAK = re.compile(r"stat::peak_rss_mb:\s+(\d+)")


def main() -> None:
    """A line for each target; the exit is 1 if something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz the readers.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}")
    parser.add_argument("--minutes", type=float, default=10, help="for each (10)")
    parser.add_argument("--jobs", type=int, default=1, help="at once (1)")
    asked = parser.parse_args()
    unknown = set(asked.targets) - set(TARGETS)
    if unknown:
        parser.error(f"no target {', '.join(sorted(unknown))}: there are {', '.join(TARGETS)}")
    with ThreadPoolExecutor(asked.jobs) as pool:
        found = pool.map(lambda name: _fed(name, asked.minutes), asked.targets or TARGETS)
        sys.exit(any([*found]))


def _fed(target: str, minutes: float) -> bool:
    """Whether something was found."""
    folder = FOLDER / target
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.fuzz.feeding", target, str(round(60 * minutes))]
    with (folder / "log.txt").open("w+b") as log:
        code = subprocess.call([*command, str(folder)], stdout=log, stderr=log, cwd=PROJECT)
        log.seek(0)
        said = log.read().decode(errors="replace")
    runs, peak = (int(one[1]) if (one := what.search(said)) else 0 for what in (RUNS, PEAK))
    said_of = "nothing found" if code == 0 else f"FOUND, see {folder}"
    print(f"{target}: {runs:,} inputs, at most {peak:,} MB, {said_of}", flush=True)
    return code != 0


if __name__ == "__main__":
    main()
