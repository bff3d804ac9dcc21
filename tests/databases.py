"""A real PostgreSQL server on loopback, in a temporary folder, for tests of what machines share."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

NOT_ROOT = ("postgres", "nobody")


def programs():
    """Where PostgreSQL's programs are; the test skips where there are none."""
    found = shutil.which("initdb")
    places = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not places:
        pytest.skip("needs PostgreSQL's programs, which are not installed")
    return places[-1]


def user():
    """Whom to be instead of root, whom PostgreSQL refuses."""
    if os.geteuid() != 0:
        return None
    for name in NOT_ROOT:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    return pytest.skip("PostgreSQL does not run as root, and there is no other user")


class Server:
    """A server that can be stopped and started again."""

    def __init__(self, folder):
        self._folder = Path(folder)
        self._bin, self._user = programs(), user()
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self._port = taken.getsockname()[1]
        self.address = f"postgresql://tester:some-password@127.0.0.1:{self._port}/postgres"
        self._run("initdb", "-D", "data", "-U", "tester", "-A", "trust", "--no-sync")

    def start(self):
        """Start it, and wait until it answers."""
        options = f"-p {self._port} -h 127.0.0.1 -k {self._folder} -c fsync=off"
        self._run("pg_ctl", "-D", "data", "-o", options, "-l", "log", "-w", "start")

    def stop(self):
        """Stop it at once, as a machine that goes."""
        self._run("pg_ctl", "-D", "data", "-m", "immediate", "-w", "stop")

    def _run(self, program, *words):
        done = subprocess.run(
            [self._bin / program, *words], cwd=self._folder, user=self._user, check=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"}, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


@contextlib.contextmanager
def server():
    """A running server."""
    pytest.importorskip("psycopg", reason="needs psycopg, which is not installed")
    folder = tempfile.mkdtemp(prefix="darkroom-postgres-")
    if os.geteuid() == 0 and user():
        shutil.chown(folder, user())
    found = Server(folder)
    found.start()
    try:
        yield found
    finally:
        with contextlib.suppress(AssertionError):
            found.stop()
        time.sleep(0.1)
        shutil.rmtree(folder, ignore_errors=True)
