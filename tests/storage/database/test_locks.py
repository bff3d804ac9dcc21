"""Locks between machines: taken, waited for, and free once their holder is gone."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from filelock import Timeout

from storage import locks
from storage.database.advisory_locks import number_of
from storage.database.connecting import database
from storage.errors import DatabaseAway, MissingLibrary, ParameterError
from storage.workspace import DATABASE_VARIABLE, HOME_VARIABLE, Workspace
from tests import databases
from tests.project import PROJECT

HOLD = """
import sys, time
from storage import locks
from storage.workspace import Workspace
with locks.of(Workspace.current().made(), "key"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def server():
    with databases.server() as found:
        yield found


@pytest.fixture(autouse=True)
def named(server, monkeypatch):
    monkeypatch.setenv(DATABASE_VARIABLE, server.address)


def other(tmp_path):
    """Another machine that holds the lock: a process with a workspace of its own."""
    held = subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=PROJECT, text=True, stdout=subprocess.PIPE,
        env=os.environ | {HOME_VARIABLE: str(tmp_path / "other")},
    )  # fmt: skip
    assert held.stdout.readline() == "held\n"
    return held


def test_a_lock_is_one_for_all_machines_and_free_when_its_holder_is_killed(tmp_path, workspace):
    held = other(tmp_path)
    lock = locks.of(workspace.made(), "key", thread_local=False)
    with pytest.raises(Timeout):
        lock.acquire(timeout=0)
    with locks.of(workspace, "another key"):
        pass
    held.send_signal(signal.SIGKILL)
    held.wait()
    began = time.monotonic()
    lock.acquire(timeout=30)
    waited = time.monotonic() - began
    lock.release()
    print(f"free {waited:.2f} s after the holder was killed")  # noqa: T201
    held.stdout.close()


def test_threads_of_one_process_take_turns(workspace):
    workspace.made()
    inside, most = [], []

    def work():
        with locks.of(workspace, "key", thread_local=False):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.05)
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert most == [1, 1, 1, 1]


def test_a_database_that_is_gone_for_a_while_is_waited_for(workspace, server, capfd):
    lock = locks.of(workspace.made(), "key", thread_local=False)
    lock.acquire()
    server.stop()
    restart = threading.Timer(3, server.start)
    restart.start()
    lock.release()  # it went with the connection
    with locks.of(workspace, "key", thread_local=False):
        pass
    restart.join()
    said = capfd.readouterr().err
    assert "waiting for the database" in said
    assert "some-password" not in said


def test_a_database_that_stays_away_is_an_error_without_its_password(workspace, monkeypatch):
    monkeypatch.setattr("storage.database.connecting.PATIENCE_SECONDS", 0.0)
    monkeypatch.setenv(DATABASE_VARIABLE, "postgresql://me:some-password@127.0.0.1:1/x")
    with pytest.raises(DatabaseAway) as told:
        locks.of(workspace.made(), "key").acquire()
    assert "some-password" not in str(told.value)
    assert locks.of(Workspace.current(), "key").acquire is not None


def test_an_address_of_something_else_is_refused_without_being_shown():
    with pytest.raises(ParameterError) as told:
        database("mysql://me:some-password@host/x")
    assert "some-password" not in str(told.value)


def test_without_psycopg_its_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingLibrary, match=r"darkroom\[postgres\]"):
        database("postgresql://host/without-psycopg")


def test_numbers_fit_into_the_database():
    numbers = {number_of(f"key-{number}") for number in range(1000)}
    assert len(numbers) == 1000
    assert all(-(2**63) <= number < 2**63 for number in numbers)
