"""What all benchmarks share: child processes with their peak memory, and results as JSON."""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parent
PROJECT = FOLDER.parent
SHARED = PROJECT.parent / "shared"
RESULTS = FOLDER / "results"


class Finished(NamedTuple):
    """A child process: what it printed, how long it took, the most memory it held."""

    output: str
    seconds: float
    peak_megabytes: float


def run(command: list[str], **environment: str) -> Finished:
    """Run a command to its end; its errors are shown, a failure ends the benchmark."""
    with tempfile.TemporaryFile("w+") as out:
        started = time.perf_counter()
        child = subprocess.Popen(command, stdout=out, env=os.environ | environment, cwd=PROJECT)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        output = out.read()
    if child.returncode:
        raise SystemExit(f"{command} ended with {child.returncode}:\n{output}")
    return Finished(output, seconds, usage.ru_maxrss / 1024)


def experiment(name: str, *settings: str) -> dict[str, Any]:
    """What `darkroom run NAME --json` gives, run in the user's workspace with these settings."""
    words = [word for setting in settings for word in ("--set", setting)]
    done = run([sys.executable, "-m", "flows", "run", name, *words, "--json"])
    return json.loads(done.output.strip().splitlines()[-1])


def machine() -> dict[str, Any]:
    """The machine by what matters here: cores and instruction sets."""
    from tasks.features.precision import cpu_flags

    known = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "amx_int8")
    return {
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
        "instructions": [flag for flag in known if flag in cpu_flags()],
    }


def write(name: str, result: dict[str, Any]) -> None:
    """Print the result and keep it as benchmarks/results/<name>.json."""
    file = RESULTS / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    whole = {"benchmark": name, "machine": machine(), **result}
    file.write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n")
    print(json.dumps(whole, indent=2), flush=True)
