"""What the storage tests share: a hook that counts opened files, a disk that fills up."""

import os
import shutil
import subprocess
import sys

import pytest
from hypothesis import settings

from storage.images import ImageStore

JPEG = b"\xff\xd8\xff"

# How long an example takes says more about the machine than about the code; nothing is written
# beside the project.
settings.register_profile("darkroom", deadline=None, database=None)
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


@pytest.fixture
def images(workspace):
    """The image store of the test's workspace."""
    return ImageStore(workspace.images)


@pytest.fixture
def small_disk(tmp_path):
    """A real file system of 256 KiB and 32 files; skipped where none can be mounted."""
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("needs the right to mount a small file system")
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k,nr_inodes=32", "tmpfs", folder]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("needs the right to mount a small file system")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def everything_in(folder):
    """Every path below `folder`, hidden ones included, relative and sorted."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
