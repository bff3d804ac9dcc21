"""A run in which nothing changed, on 4,000 pictures: seconds beyond Prefect's own start.

Prefect's start is that of a flow without steps in the same kind of process.
"""

import json
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.extraction import ARCHIVE, DARKROOM
from benchmarks.measuring import run, write

EMPTY_FLOW = """
import os
from flows.__main__ import PREFECT_DEFAULTS
for name, value in PREFECT_DEFAULTS.items():
    os.environ.setdefault(name, value)
from prefect import flow
@flow
def nothing():
    return None
nothing()
"""
RUNS = 3


def main() -> None:
    """Pairs of an empty flow and a cached run; the median of their differences."""
    if not ARCHIVE.exists():
        print(f"skipped: needs {ARCHIVE}")
        return
    words = ["--set", f"source.archive={ARCHIVE}", "--set", "training.epochs=2", "--json"]
    with tempfile.TemporaryDirectory() as folder:
        home = {"DARKROOM_HOME": str(Path(folder) / "workspace")}
        first = run([*DARKROOM, *words], **home)
        pairs = []
        for _ in range(RUNS):
            empty = run([sys.executable, "-c", EMPTY_FLOW])
            cached = run([*DARKROOM, *words], **home)
            states = {s["state"] for s in json.loads(cached.output.splitlines()[-1])["steps"]}
            assert states == {"cached"}, states
            pairs.append((empty.seconds, cached.seconds))
    write(
        "cached_run",
        {
            "first_run_seconds": round(first.seconds, 1),
            "empty_flow_seconds": round(statistics.median(empty for empty, _ in pairs), 2),
            "cached_run_seconds": round(statistics.median(cached for _, cached in pairs), 2),
            "beyond_prefect_seconds": round(statistics.median(c - e for e, c in pairs), 2),
        },
    )


if __name__ == "__main__":
    main()
