from pathlib import Path

import pytest

from storage import file_systems
from storage.errors import WorkspaceOnNetwork
from storage.file_systems import network_file_system
from storage.workspace import HOME_VARIABLE, Workspace

MOUNTS = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /home rw,relatime - nfs4 server:/home rw
31 30 8:2 / /home/me/local rw - xfs /dev/sdb1 rw
32 22 0:41 / /mnt/my\040disk rw - cifs //server/disk rw
33 22 0:42 / /mnt/twice rw - nfs server:/a rw
34 33 8:3 / /mnt/twice rw - ext4 /dev/sdc1 rw
a line of something else
"""


@pytest.fixture
def mounts(tmp_path, monkeypatch):
    file = tmp_path / "mountinfo"
    file.write_text(MOUNTS)
    monkeypatch.setattr(file_systems, "MOUNTS", file)
    return file


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/srv/workspace", ""), ("/home/me/workspace", "nfs4"), ("/home", "nfs4"),
        ("/homes/me", ""), ("/home/me/local/workspace", ""), ("/mnt/my disk/a", "cifs"),
        ("/mnt/twice/a", ""),
    ],
)  # fmt: skip
def test_the_innermost_mount_tells(mounts, folder, kind):
    assert mounts.is_file()
    assert network_file_system(Path(folder)) == kind


def test_where_nothing_tells_no_network_is_supposed(tmp_path, monkeypatch):
    monkeypatch.setattr(file_systems, "MOUNTS", tmp_path / "not there")
    assert network_file_system(tmp_path) == ""


def test_a_workspace_on_a_network_file_system_is_refused(mounts, tmp_path, monkeypatch):
    mounts.write_text(f"30 22 0:40 / {tmp_path} rw,relatime - nfs4 server:/home rw\n")
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "workspace"))
    with pytest.raises(WorkspaceOnNetwork, match=r"WAL.*DARKROOM_REMOTE"):
        Workspace.current().made()
    assert not (tmp_path / "workspace").exists()
