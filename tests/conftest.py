"""What all tests share. Whatever is written goes to temporary folders."""

import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# An accidental Prefect server in a test of plain functions is an error.
os.environ.setdefault("PREFECT_SERVER_ALLOW_EPHEMERAL_MODE", "false")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")

from storage.workspace import HOME_VARIABLE, Workspace
from tests.project import SHARED_DATA

# A background job of a script ignores Ctrl-C, and so would all that tests start: they send it.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:  # under nohup
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    """A workspace of its own for every test."""
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "workspace"))
    return Workspace.current()


@pytest.fixture
def shared_data():
    """Real pictures that lie beside the project on some machines."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"needs the pictures in {SHARED_DATA}, which are not here")
    return SHARED_DATA


# The same examples every time, so that a run tells about the change and not about luck. How long
# an example takes says more about the machine than about the code; nothing is written
# beside the project.
settings.register_profile("darkroom", deadline=None, database=None, derandomize=True)
settings.load_profile("darkroom")

_watched: list[list[str]] = []


def _note_open(event, arguments):
    if event == "open" and _watched and isinstance(arguments[0], str | bytes | os.PathLike):
        for seen in _watched:
            seen.append(os.fsdecode(arguments[0]))


# An audit hook stays until the process ends; it notes nothing unless a test asks.
sys.addaudithook(_note_open)


@pytest.fixture
def opened():
    """The paths of all files opened from here on, in order."""
    seen: list[str] = []
    _watched.append(seen)
    yield seen
    _watched.remove(seen)


# What these import is light. A test of theirs that brings in Prefect or TensorFlow fails.
QUICK = (
    "storage", "tasks/acquire", "tasks/clean", "tasks/running", "tasks/split",
    "flows/test_words.py", "flows/test_listing.py", "flows/test_experiments.py",
)  # fmt: skip
HEAVY = frozenset({"prefect", "tensorflow", "keras"})
TESTS = Path(__file__).parent


def is_quick(path):
    return path.is_relative_to(TESTS) and path.relative_to(TESTS).as_posix().startswith(QUICK)


def pytest_ignore_collect(collection_path, config):
    """With `-m quick` the other files are not even imported: that alone takes seconds."""
    if collection_path.suffix != ".py" or config.option.markexpr != "quick":
        return None
    return None if is_quick(collection_path) else True


def pytest_collection_modifyitems(items):
    """Mark the tests that need neither Prefect nor TensorFlow."""
    for item in items:
        if is_quick(item.path):
            item.add_marker(pytest.mark.quick)


@pytest.fixture(autouse=True)
def stays_light(request):
    """A quick test that imports something heavy is in the wrong place."""
    before = HEAVY & set(sys.modules)
    yield
    if request.node.get_closest_marker("quick"):
        assert not HEAVY & set(sys.modules) - before
