"""Where everything is."""

import subprocess
import sys
from pathlib import Path

import pytest

from storage import atomic
from storage.errors import NameTaken, WorkspaceNewer, WorkspaceReadOnly
from storage.inventory import damage
from storage.workspace import FORMAT, HOME_VARIABLE, Workspace
from tests.project import PROJECT


def test_the_environment_says_where_the_workspace_is(monkeypatch, tmp_path):
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "elsewhere"))
    assert Workspace.current().root == tmp_path / "elsewhere"


@pytest.mark.parametrize("unset", [True, False])
def test_the_default_is_a_folder_here(monkeypatch, tmp_path, unset):
    monkeypatch.chdir(tmp_path)
    if unset:
        monkeypatch.delenv(HOME_VARIABLE)
    else:
        monkeypatch.setenv(HOME_VARIABLE, "")
    assert Workspace.current().root == tmp_path / "workspace"


def test_a_relative_place_becomes_absolute(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(HOME_VARIABLE, "here/../there")
    assert Workspace.current().root == tmp_path / "there"


def test_naming_places_creates_nothing(workspace):
    assert workspace.lineage("small", 1).parent.parent == workspace.splits
    assert not workspace.root.exists()


def test_references_store_places_relative_to_the_root(workspace):
    assert workspace.relative(workspace.models / "abc" / "model.keras") == "models/abc/model.keras"
    with pytest.raises(ValueError):
        workspace.relative(Path("/elsewhere"))


@pytest.mark.parametrize("room", ["storage", "tasks.acquire"])
def test_a_room_is_imported_without_prefect_or_tensorflow(room):
    program = f"""
import importlib, pkgutil, sys
import {room}
for module in pkgutil.iter_modules({room}.__path__):
    if module.name != "step":
        importlib.import_module("{room}." + module.name)
print(sorted({{"prefect", "tensorflow", "keras"}} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("place", ["/proc/darkroom", "/dev/null/workspace"])
def test_a_place_that_cannot_be_written_to_says_what_to_do(monkeypatch, place):
    monkeypatch.setenv(HOME_VARIABLE, place)
    with pytest.raises(WorkspaceReadOnly, match=f"at {place}.*set {HOME_VARIABLE} to a folder"):
        Workspace.current().made()


def test_a_workspace_says_in_which_format_it_is(workspace):
    assert Workspace.current().format is None
    assert workspace.made().format == FORMAT
    assert Workspace.current() == workspace


def test_a_newer_workspace_is_left_alone(workspace):
    workspace.made()
    atomic.write_json(workspace.marker, {"format": FORMAT + 1})
    with pytest.raises(WorkspaceNewer, match="written by a newer Darkroom"):
        Workspace.current()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "2"}', '{"format": true}', "[" * 9999])
def test_a_damaged_marker_is_written_again(workspace, text):
    workspace.made()
    workspace.marker.write_text(text)
    assert list(damage.of_format(workspace)) == [workspace.marker]
    assert Workspace.current().made().format == FORMAT


def test_names_that_differ_in_capitals_are_two_only_where_the_file_system_has_them(
    workspace, monkeypatch
):
    (workspace.reports / "Birds").mkdir(parents=True)
    workspace.require_own_name("Birds")
    workspace.require_own_name("bees")
    workspace.require_own_name("birds")
    # As on macOS: `birds` is there, and the folder lists it as it was written first.
    (workspace.reports / "birds").symlink_to("Birds")
    monkeypatch.setattr(Path, "iterdir", lambda folder: iter([folder / "Birds"]))
    with pytest.raises(NameTaken, match="'Birds' has the folder that 'birds' would have"):
        workspace.require_own_name("birds")
