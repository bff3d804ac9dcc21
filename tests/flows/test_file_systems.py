"""Workspaces on other file systems: one that fills up, one without any links, one of another's."""

import errno
import os
import subprocess
from pathlib import Path

import pytest

from tasks.publish.page import lookup
from tests.flows.conftest import executed, parameters
from tests.pictures import write_folders


@pytest.fixture
def small_disk(tmp_path, monkeypatch):
    """A workspace on a file system of a given size, that can be made larger."""
    place = tmp_path / "disk"
    place.mkdir()

    def mount(megabytes, *options):
        return subprocess.run(
            ["mount", "-t", "tmpfs", "-o", ",".join([f"size={megabytes}m", *options]),
             "tmpfs", place],
            capture_output=True, check=False,
        ).returncode == 0  # fmt: skip

    if not mount(1):
        pytest.skip("needs the right to mount a small file system")
    monkeypatch.setenv("DARKROOM_HOME", str(place / "workspace"))
    yield lambda megabytes: mount(megabytes, "remount")
    subprocess.run(["umount", place], check=True)


@pytest.mark.parametrize(
    ("megabytes", "image_size", "failing"), [(1, 128, "extract"), (20, 32, "train")]
)
def test_a_full_disk_is_said_and_survived(
    answered, tmp_path, small_disk, megabytes, image_size, failing
):
    small_disk(megabytes)
    tree = parameters(write_folders(tmp_path / "pictures", per_class=40))
    tree["model"] |= {"image_size": image_size}
    code, _, err = answered("run", "small", experiment=tree)
    assert code == 1
    assert "no space left" in err.strip().splitlines()[-1]
    small_disk(400)
    code, result, err = answered("run", "small", "--json", experiment=tree)
    assert code == 0, err
    assert executed(result)[0] == failing


@pytest.fixture
def no_links(monkeypatch):
    """As on FAT: neither hard nor symbolic links can be made."""

    def refuse(*_, **__):
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(os, "symlink", refuse)
    monkeypatch.setattr(Path, "symlink_to", refuse)


def test_without_links_everything_runs_and_the_latest_is_found(
    answered, darkroom, pictures, workspace, no_links
):
    tree = parameters(pictures)
    code, _, err = answered("run", "small", "--json", experiment=tree)
    assert code == 0, err
    tree["training"]["epochs"] = 4
    code, _, err = answered("run", "small", "--json", experiment=tree)
    assert code == 0, err
    assert not [path for path in workspace.root.rglob("*") if path.is_symlink()]
    assert darkroom("cache", "verify")[:2] == (0, "everything is whole\n")
    # Index, reports and models of an experiment are found through what stands for the links.
    runs = sorted((workspace.reports / "small").glob("20*"))
    assert len(runs) == 2
    assert lookup.find(workspace, "small") == runs[-1]
    code, _, err = darkroom("classify", "small", pictures / "ant")
    assert code == 0, err
    (workspace.reports / "small" / "latest").write_bytes(b"")
    assert darkroom("cache", "verify")[0] == 1
    assert darkroom("cache", "verify", "--repair")[0] == 0
    code, _, err = answered("run", "small", "--json", experiment=tree)
    assert code == 0, err
    assert darkroom("cache", "verify")[:2] == (0, "everything is whole\n")
