"""A disk that fills up: the run says so, keeps what it has, and goes on when there is room."""

import subprocess

import pytest

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
