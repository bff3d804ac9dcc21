"""What the storage tests share: a disk that fills up."""

import os
import shutil
import subprocess

import pytest

from storage.images import ImageStore

JPEG = b"\xff\xd8\xff"


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
