"""A server of one's own: it answers, ends with whoever started it, and hears no Ctrl-C."""

import os
import signal
import subprocess
import sys
import time
import urllib.request

import pytest

from storage.errors import ServerUnreachable
from tests.project import PROJECT

START = """
import os, sys, time
from flows.orchestration.server import OwnServer
server = OwnServer.started()
server.wait()
print(server.url, server._process.pid, flush=True)
time.sleep(float(sys.argv[1]))
"""


@pytest.fixture
def start(prefect_home):
    """A process with a server; (process, address, the server's process id)."""
    environment = {name: text for name, text in os.environ.items() if name != "PREFECT_API_URL"}
    environment |= {"PREFECT_HOME": str(prefect_home), "PYTHONPATH": str(PROJECT)}
    environment["PREFECT_SERVER_ALLOW_EPHEMERAL_MODE"] = "true"
    begun = []

    def run(seconds):
        process = subprocess.Popen(
            [sys.executable, "-c", START, str(seconds)],
            cwd=PROJECT, env=environment, text=True, stdout=subprocess.PIPE,
        )  # fmt: skip
        begun.append(process)
        return process

    yield run
    for process in begun:
        process.kill()
        process.communicate()


def said(process):
    url, pid = process.stdout.readline().split()
    return url, int(pid)


def is_up(url):
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5):
            return True
    except OSError:
        return False


def gone(pid, seconds=30):
    """Whether a process ends within some seconds."""
    for _ in range(int(seconds * 20)):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_two_first_starts_at_once_both_answer_and_end_with_their_processes(start):
    one, other = start(0), start(60)
    (first, first_pid), (second, second_pid) = said(one), said(other)
    assert first != second
    assert is_up(second)
    assert one.wait(60) == 0
    assert gone(first_pid)
    other.send_signal(signal.SIGKILL)
    assert gone(second_pid)


def test_a_terminals_ctrl_c_does_not_reach_it(start):
    process = start(60)
    url, pid = said(process)
    assert os.getpgid(pid) != os.getpgid(process.pid)  # whose group a terminal interrupts
    assert is_up(url)


def test_a_server_that_ends_is_told_with_its_last_words(monkeypatch):
    from flows.orchestration import server

    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setattr(server.sys, "executable", "/bin/false")
    own = server.OwnServer()
    with pytest.raises(ServerUnreachable, match="it said nothing"):
        own.wait()
    assert os.environ["PREFECT_API_URL"] == own.url
    own.stop()
    assert "PREFECT_API_URL" not in os.environ
