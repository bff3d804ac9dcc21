"""Writes are whole or not there, whatever happens to the process or to the disk."""

import contextlib
import errno
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import atomic, folders
from storage.errors import StorageFull
from tests.project import PROJECT, examples
from tests.storage.conftest import everything_in


@examples(50)
@given(data=st.binary(max_size=2000))
def test_what_is_written_is_what_is_read(tmp_path_factory, data):
    target = tmp_path_factory.mktemp("atomic") / "deep" / "file.bin"
    assert atomic.write_bytes(target, data).read_bytes() == data
    assert everything_in(target.parent) == ["file.bin"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@examples(50)
@given(value=json_values)
def test_json_comes_back_as_it_was(tmp_path_factory, value):
    path = atomic.write_json(tmp_path_factory.mktemp("json") / "value.json", value)
    assert json.loads(path.read_bytes()) == value
    assert path.read_bytes().endswith(b"\n")


def test_a_failing_write_leaves_nothing(tmp_path):
    def fail(temporary):
        temporary.write_bytes(b"half")
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        atomic.write_file(tmp_path / "file", fail)
    assert everything_in(tmp_path) == []


def test_a_failing_write_keeps_the_old_file(tmp_path):
    target = atomic.write_bytes(tmp_path / "file", b"old")
    with pytest.raises(ZeroDivisionError):
        atomic.write_file(target, lambda temporary: 1 / 0)
    assert target.read_bytes() == b"old"
    assert everything_in(tmp_path) == ["file"]


def test_the_target_is_old_or_new_while_it_is_written(tmp_path):
    target = atomic.write_bytes(tmp_path / "file", b"old")

    def write(temporary):
        temporary.write_bytes(b"ne")
        assert target.read_bytes() == b"old"
        temporary.write_bytes(b"new")

    atomic.write_file(target, write)
    assert target.read_bytes() == b"new"


def test_a_file_can_be_read_by_whom_the_umask_allows(tmp_path):
    plain = tmp_path / "plain"
    plain.touch()
    target = atomic.write_bytes(tmp_path / "file", b"x")
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_many_writers_leave_one_whole_file(tmp_path):
    contents = [bytes([number]) * 100_000 for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda data: atomic.write_bytes(tmp_path / "file", data), contents))
    assert (tmp_path / "file").read_bytes() in contents
    assert everything_in(tmp_path) == ["file"]


KILLED_IN_FILE = """
import sys, time
from pathlib import Path
from storage import atomic

def write(temporary):
    with temporary.open("wb") as stream:
        stream.write(b"half")
        stream.flush()
        print("writing", flush=True)
        time.sleep(60)

atomic.write_file(Path(sys.argv[1]), write)
"""

KILLED_IN_FOLDER = """
import sys, time
from pathlib import Path
from storage import folders

with folders.new_folder(Path(sys.argv[1])) as folder:
    (folder / "half").write_bytes(b"half")
    print("writing", flush=True)
    time.sleep(60)
"""


def kill_in_the_middle(program, target):
    """Start `program`, wait until it is in mid write, kill it as `kill -9` does."""
    with subprocess.Popen(
        [sys.executable, "-c", program, str(target)], cwd=PROJECT, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"writing\n"
        process.kill()
    assert process.returncode == -signal.SIGKILL


def test_killed_in_mid_write_leaves_no_half_file(tmp_path):
    target = tmp_path / "file"
    kill_in_the_middle(KILLED_IN_FILE, target)
    assert not target.exists()
    assert atomic.write_bytes(target, b"whole").read_bytes() == b"whole"


def test_killed_in_mid_write_keeps_the_old_file(tmp_path):
    target = atomic.write_bytes(tmp_path / "file", b"old")
    kill_in_the_middle(KILLED_IN_FILE, target)
    assert target.read_bytes() == b"old"


def test_killed_while_filling_a_folder_leaves_no_half_folder(tmp_path):
    target = tmp_path / "folder"
    kill_in_the_middle(KILLED_IN_FOLDER, target)
    assert not target.exists()
    with folders.new_folder(target) as folder:
        (folder / "whole").touch()
    assert everything_in(target) == ["whole"]


def test_a_full_device_is_storage_full_and_names_the_place(tmp_path):
    full = Path("/dev/full")  # a device that always is
    with pytest.raises(StorageFull, match=r"no space left while writing .*result\.bin.* cache gc"):
        atomic.write_file(tmp_path / "result.bin", lambda temporary: full.write_bytes(b"x"))
    assert everything_in(tmp_path) == []


def test_an_exceeded_quota_is_storage_full(tmp_path):
    with pytest.raises(StorageFull), atomic.explained(tmp_path):
        raise OSError(errno.EDQUOT, "quota exceeded")


def test_other_errors_of_the_system_stay_what_they_are(tmp_path):
    with pytest.raises(PermissionError), atomic.explained(tmp_path):
        raise PermissionError(errno.EACCES, "not allowed")


def test_a_full_disk_leaves_no_partial_file(small_disk):
    kept = atomic.write_bytes(small_disk / "small.bin", b"x" * 1000)
    with pytest.raises(StorageFull):
        atomic.write_bytes(small_disk / "large.bin", b"x" * 2**20)
    assert kept.read_bytes() == b"x" * 1000
    assert everything_in(small_disk) == ["small.bin"]


def test_a_full_disk_leaves_no_partial_folder(small_disk):
    with pytest.raises(StorageFull), folders.new_folder(small_disk / "folder") as folder:
        (folder / "large.bin").write_bytes(b"x" * 2**20)
    assert everything_in(small_disk) == []


def use_up_all_files(folder):
    with contextlib.suppress(OSError):
        for number in range(100):
            (folder / str(number)).touch()
    assert len(list(folder.iterdir())) < 100


def test_no_room_for_the_parent_folder_is_storage_full(small_disk):
    use_up_all_files(small_disk)
    with pytest.raises(StorageFull):
        atomic.write_bytes(small_disk / "new" / "file", b"x")
    with pytest.raises(StorageFull), folders.new_folder(small_disk / "new" / "folder"):
        pass


def test_no_room_for_a_link_is_storage_full(small_disk):
    use_up_all_files(small_disk)
    with pytest.raises(StorageFull):
        atomic.point(small_disk / "latest", small_disk / "1")


def test_a_folder_appears_whole_and_readable(tmp_path):
    with folders.new_folder(tmp_path / "deep" / "folder") as folder:
        (folder / "a").write_text("a")
        assert not (tmp_path / "deep" / "folder").exists()
    assert everything_in(tmp_path) == ["deep", "deep/folder", "deep/folder/a"]
    assert stat.S_IMODE((tmp_path / "deep" / "folder").stat().st_mode) == 0o755


def test_a_failing_block_leaves_no_folder(tmp_path):
    with pytest.raises(FileNotFoundError), folders.new_folder(tmp_path / "folder") as folder:
        shutil.copytree(tmp_path / "none", folder / "copy")
    assert everything_in(tmp_path) == []


def test_a_failing_block_keeps_the_old_folder(tmp_path):
    with folders.new_folder(tmp_path / "folder") as folder:
        (folder / "old").touch()
    with pytest.raises(ZeroDivisionError), folders.new_folder(tmp_path / "folder"):
        _ = 1 / 0
    assert everything_in(tmp_path / "folder") == ["old"]


def test_a_folder_is_replaced_not_merged(tmp_path):
    for name in ("old", "new"):
        with folders.new_folder(tmp_path / "folder") as folder:
            (folder / name).touch()
    assert everything_in(tmp_path) == ["folder", "folder/new"]


def write_sealed(target, data, **options):
    with folders.new_folder(target, **options) as folder:
        (folder / "model").write_bytes(data)
        folders.seal(folder)
    return target.stat().st_ino


def test_a_whole_folder_is_kept_when_asked_for(tmp_path):
    first = write_sealed(tmp_path / "folder", b"old", keep_whole=True)
    assert write_sealed(tmp_path / "folder", b"new", keep_whole=True) == first
    assert (tmp_path / "folder" / "model").read_bytes() == b"old"
    assert everything_in(tmp_path) == ["folder", "folder/contents.json", "folder/model"]


@pytest.mark.parametrize("damage", [b"ol", b"odd", None])
def test_a_damaged_folder_is_never_kept(tmp_path, damage):
    model = tmp_path / "folder" / "model"
    write_sealed(tmp_path / "folder", b"old")
    model.unlink() if damage is None else model.write_bytes(damage)
    write_sealed(tmp_path / "folder", b"new", keep_whole=True)
    assert model.read_bytes() == b"new"


def test_many_writers_leave_one_whole_folder(tmp_path):
    def write(number):
        with folders.new_folder(tmp_path / "folder") as folder:
            (folder / "number").write_text(str(number))
            (folder / "again").write_text(str(number))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(24)))
    assert everything_in(tmp_path) == ["folder", "folder/again", "folder/number"]
    folder = tmp_path / "folder"
    assert (folder / "number").read_text() == (folder / "again").read_text()


def test_a_link_moves_from_one_sibling_to_the_next(tmp_path):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        atomic.point(tmp_path / "latest", tmp_path / name)
        assert (tmp_path / "latest").resolve().name == name
    assert everything_in(tmp_path) == ["first", "latest", "second"]


def test_a_link_survives_moving_the_workspace(tmp_path):
    (tmp_path / "here" / "run").mkdir(parents=True)
    atomic.point(tmp_path / "here" / "latest", tmp_path / "here" / "run")
    (tmp_path / "here").rename(tmp_path / "there")
    assert os.readlink(tmp_path / "there" / "latest") == "run"  # noqa: PTH115
    assert (tmp_path / "there" / "latest").is_dir()
