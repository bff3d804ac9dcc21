"""What a step has let go of does not stay with the process."""

import subprocess
import sys

import pytest

from tests.project import PROJECT

# Many small pieces with one that is kept after each, so that the C library cannot see a free end.
SCRIPT = """
from pathlib import Path
from tasks.running.memory import give_back

def held():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

pieces = [bytes(60_000) for _ in range(5_000)]
kept = pieces[::50]
del pieces
before = held()
give_back()
print(before - held())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux, which tells what is held")
def test_what_was_let_go_of_goes_back_to_the_system():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) > 100_000_000
