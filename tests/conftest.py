"""What all tests share. Whatever is written goes to temporary folders."""

import os
from pathlib import Path

import pytest

# An accidental Prefect server in a test of plain functions is an error.
os.environ.setdefault("PREFECT_SERVER_ALLOW_EPHEMERAL_MODE", "false")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")

from storage.workspace import HOME_VARIABLE, Workspace

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


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
