"""The verbs, on a folder and on an S3 server."""

import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import atomic
from storage.errors import MissingLibrary, ParameterError, RemoteAway
from storage.remote.objects import SAFE, require_safe
from storage.remote.opening import kind_of, opened
from tests.buckets import SECRET
from tests.storage.remote.conftest import at_once

NAME = "models/ab/model.keras"


def test_a_name_is_taken_once(objects, tmp_path):
    assert objects.get(NAME) is None
    assert objects.put_if_absent(NAME, b"first")
    assert not objects.put_if_absent(NAME, b"second")
    assert objects.get(NAME) == b"first"
    file = tmp_path / "file"
    file.write_bytes(b"x" * 3_000_000)
    assert objects.put_if_absent("images/ab/large.jpg", file)
    assert objects.fetch("images/ab/large.jpg", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == file.read_bytes()
    assert not objects.fetch("images/ab/other.jpg", tmp_path / "none")


def test_of_sixteen_writers_one_wins_and_all_see_it(objects):
    won = at_once(lambda writer: objects.put_if_absent(NAME, f"{writer}".encode() * 1000), 16)
    assert won.count(True) == 1
    assert objects.get(NAME) == f"{won.index(True)}".encode() * 1000


def test_a_pointer_moves_from_the_version_that_was_seen(objects):
    assert objects.pointer("splits/lineage/a.json") == (None, None)
    assert objects.move_pointer("splits/lineage/a.json", b"1", None)
    assert not objects.move_pointer("splits/lineage/a.json", b"2", None)
    seen = objects.pointer("splits/lineage/a.json")
    assert seen.data == b"1"
    moved = at_once(
        lambda n: objects.move_pointer("splits/lineage/a.json", f"by {n}".encode(), seen.version),
        16,
    )
    assert moved.count(True) == 1
    assert objects.pointer("splits/lineage/a.json").data == f"by {moved.index(True)}".encode()


def test_names_are_listed_by_folder_with_size_and_time(objects):
    assert list(objects.names("")) == []
    before = time.time()
    for name in ("images/ab/1.jpg", "images/cd/2.jpg", "imagesque/3", "workspace.json"):
        objects.put_if_absent(name, name.encode())
    found = list(objects.names("images"))
    assert sorted(one.name for one in found) == ["images/ab/1.jpg", "images/cd/2.jpg"]
    assert all(one.bytes == 15 and abs(one.written - before) < 60 for one in found)
    assert len(list(objects.names(""))) == 4
    objects.delete([*(one.name for one in found), "images/ab/gone.jpg"])
    assert sorted(one.name for one in objects.names("")) == ["imagesque/3", "workspace.json"]


def test_a_part_of_an_object_can_be_read(objects):
    objects.put_if_absent("facts/a/b.arrow", bytes(range(256)) * 1000)
    with objects.reader("facts/a/b.arrow") as stream:
        stream.seek(1000)
        assert stream.read(3) == bytes([232, 233, 234])


@pytest.mark.parametrize(
    "name", ["../up", "a/../../b", "/etc/passwd", "a\\b", "", "a/./b", "a\x00"]
)
def test_a_name_that_leads_out_is_none(objects, name):
    with pytest.raises(ValueError, match="no name"):
        objects.get(name)
    with pytest.raises(ValueError, match="no name"):
        objects.put_if_absent(name, b"")


@given(st.lists(st.text("ab.-_ é", min_size=1), min_size=1, max_size=4))
def test_safe_names_stay_inside(parts):
    name = "/".join(parts)
    if SAFE.fullmatch(name):
        inside = os.path.normpath(f"/root/{require_safe(name)}")
        assert inside.startswith("/root/")
    else:
        assert {".", ".."} & set(parts)


def test_a_folder_needs_no_hard_links(tmp_path, monkeypatch):
    def refused(*_):
        raise PermissionError(1, "not here")

    monkeypatch.setattr(os, "link", refused)
    folder = opened(str(tmp_path / "without links"))
    won = at_once(lambda writer: folder.put_if_absent(NAME, f"{writer}".encode()), 8)
    assert won.count(True) == 1
    assert folder.get(NAME) == f"{won.index(True)}".encode()
    assert [one.name for one in folder.names("")] == [NAME]


def test_a_killed_process_s_lock_is_taken_over(tmp_path):
    folder = opened(str(tmp_path / "remote"))
    folder.move_pointer("models/published/a.history.json", b"1", None)
    lock = tmp_path / "remote/models/published" / f"{atomic.TEMPORARY_PREFIX}lock-a.history.json"
    lock.write_text("")
    os.utime(lock, (1, 1))
    seen = folder.pointer("models/published/a.history.json")
    assert folder.move_pointer("models/published/a.history.json", b"2", seen.version)


def test_a_disk_that_is_not_mounted_is_away(tmp_path):
    with pytest.raises(RemoteAway, match="cannot be used"):
        opened(str(tmp_path / "mnt" / "disk" / "remote")).put_if_absent(NAME, b"")


def test_what_a_bucket_refuses_is_said_without_secrets(endpoint, monkeypatch, objects):
    del objects  # both kinds are alike here
    pytest.importorskip("obstore")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    for verb in (lambda one: one.get(NAME), lambda one: one.put_if_absent(NAME, b"")):
        with pytest.raises(RemoteAway, match="no such bucket") as told:
            verb(opened("s3://not-made-yet"))
        assert SECRET not in str(told.value)


@pytest.mark.parametrize(
    "address",
    ["s3://key:secret@bucket/a", "s3://bucket/a?x=1", "http://server/a", "s3:///a", "ftp://a/b"],
)
def test_an_address_is_a_bucket_or_a_folder_and_no_more(address):
    with pytest.raises(ParameterError, match="DARKROOM_REMOTE") as told:
        kind_of(address)
    assert "secret@" not in str(told.value)


def test_without_obstore_its_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "obstore", None)
    with pytest.raises(MissingLibrary, match=r"darkroom\[remote\]"):
        opened("s3://bucket/without-obstore")
