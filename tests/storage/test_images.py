"""The image store: each picture once, read-only, named by what it is."""

import os
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import digests
from storage.errors import StorageFull
from storage.images import ImageStore, suffix_of
from tests.pictures import picture
from tests.project import examples
from tests.storage.conftest import JPEG, everything_in


@pytest.mark.parametrize(
    ("data", "suffix"),
    [
        (JPEG + b"\xe0rest", ".jpg"),
        (b"\x89PNG\r\n\x1a\nrest", ".png"),
        (b"GIF87a", ".gif"),
        (b"GIF89a", ".gif"),
        (b"BMrest", ".bmp"),
        (b"II*\x00", ".tif"),
        (b"MM\x00*", ".tif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", ".webp"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", ".bin"),
        (b"<!DOCTYPE html>", ".bin"),
        (b"", ".bin"),
    ],
)
def test_the_suffix_tells_what_the_bytes_are(data, suffix):
    assert suffix_of(data) == suffix


def test_a_picture_lies_under_the_digest_of_its_bytes(images):
    data = picture(1)
    name = images.add(data)
    assert name == digests.of_bytes(data) + ".jpg"
    assert images.path(name) == images.root / name[:2] / name
    assert images.read(name) == data


@examples(50)
@given(pictures=st.lists(st.binary(max_size=50), max_size=8))
def test_every_picture_comes_back_and_equal_ones_are_one(tmp_path_factory, pictures):
    store = ImageStore(tmp_path_factory.mktemp("images"))
    assert [store.read(store.add(data)) for data in pictures] == pictures
    assert len(list(store.names())) == len(set(pictures))


def test_the_same_picture_is_written_once(images, opened):
    name = images.add(picture(1))
    path = images.path(name)
    inode = path.stat().st_ino
    os.utime(path, (0, 0))
    opened.clear()
    assert images.add(picture(1)) == name
    assert path.stat().st_ino == inode
    assert opened == []
    assert path.stat().st_mtime > 0  # it is wanted again: not yet to be collected


def test_a_stored_picture_is_read_only(images):
    name = images.add(picture(1))
    assert stat.S_IMODE(images.path(name).stat().st_mode) == 0o444


def test_a_truncated_picture_is_not_there_and_is_written_again(images):
    data = picture(1)
    name = images.add(data)
    images.path(name).chmod(0o644)
    images.path(name).write_bytes(data[:10])
    assert not images.has(name, len(data))
    assert images.add(data) == name
    assert images.read(name) == data


def test_a_deleted_picture_is_not_there(images):
    name = images.add(picture(1))
    assert images.has(name, len(picture(1)))
    images.path(name).unlink()
    assert not images.has(name, len(picture(1)))


def test_a_look_at_the_store_opens_no_picture(images, opened):
    name = images.add(picture(1))
    opened.clear()
    assert images.has(name, len(picture(1)))
    assert list(images.names()) == [name]
    assert not [path for path in opened if path.endswith(".jpg")]


def test_unfinished_writes_are_no_pictures(images):
    name = images.add(picture(1))
    (images.path(name).parent / ".partial-abc.jpg").write_bytes(b"half")
    assert list(images.names()) == [name]


def test_a_full_disk_keeps_what_was_stored(small_disk):
    store = ImageStore(small_disk / "images")
    name = store.add(picture(1))
    with pytest.raises(StorageFull):
        store.add(b"\x00" * 2**20)
    assert list(store.names()) == [name]
    assert not [path for path in everything_in(small_disk) if ".partial" in path]
