"""Locks between processes: one holder at a time, free again when it ends, however it does."""

import os
import signal
import subprocess
import sys
import time

from filelock import Timeout

from storage import locks
from tests.project import PROJECT

HOLD = (
    "import time\nfrom storage import locks\nfrom storage.workspace import Workspace\n"
    "with locks.held(Workspace.current(), 'one'):\n    print('held', flush=True)\n"
    "    time.sleep(60)"
)


def is_free(workspace, name):
    try:
        with locks.of(workspace, name).acquire(timeout=0):
            return True
    except Timeout:
        return False


def test_a_lock_is_one_processs_until_it_is_killed(workspace):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=PROJECT, env=os.environ, stdout=subprocess.PIPE
    )
    assert holder.stdout.readline() == b"held\n"
    assert not is_free(workspace, "one")
    assert is_free(workspace, "another")
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    end = time.monotonic() + 10
    while not is_free(workspace, "one"):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_lock_is_free_after_the_block(workspace):
    with locks.held(workspace, "one") as path:
        assert path.parent == workspace.locks
        assert not is_free(workspace, "one")
    assert is_free(workspace, "one")
