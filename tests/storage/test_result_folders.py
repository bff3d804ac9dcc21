"""Sealed result folders and the JSON in them."""

import json

import pytest

from storage import folders
from storage.errors import StorageDamaged


def test_a_sealed_folder_is_whole_until_a_file_changes_its_size(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(b"abc")
    folders.seal(tmp_path)
    assert folders.is_sealed(tmp_path)
    (tmp_path / "deep" / "file").write_bytes(b"ab")
    assert not folders.is_sealed(tmp_path)


def test_a_folder_is_not_sealed_before_it_is_finished(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")
    assert not folders.is_sealed(tmp_path)
    assert not folders.is_sealed(tmp_path / "none")


def test_a_look_at_a_sealed_folder_opens_only_its_list(tmp_path, opened):
    (tmp_path / "file").write_bytes(b"abc")
    folders.seal(tmp_path)
    opened.clear()
    assert folders.is_sealed(tmp_path)
    assert opened == [str(tmp_path / folders.CONTENTS)]


def test_a_sealed_folder_can_be_sealed_again(tmp_path):
    for data in (b"a", b"ab"):
        (tmp_path / "file").write_bytes(data)
        folders.seal(tmp_path)
    assert folders.is_sealed(tmp_path)


@pytest.fixture
def two_files(tmp_path):
    (tmp_path / "parts").mkdir()
    (tmp_path / "model").write_bytes(b"model")
    (tmp_path / "parts" / "0").write_bytes(b"part")
    return tmp_path


def test_a_byte_that_changed_is_seen_by_reading_only(two_files):
    folders.seal(two_files)
    assert folders.is_intact(two_files)
    (two_files / "parts" / "0").write_bytes(b"pert")
    assert folders.is_sealed(two_files)
    assert not folders.is_intact(two_files)


@pytest.mark.parametrize("known", [{}, 5, {"bytes": 5}, "5", None, [5], {"bytes": 4, "sha256": ""}])
def test_a_list_that_says_something_else_is_neither_sealed_nor_intact(two_files, known):
    (two_files / folders.CONTENTS).write_text(json.dumps({"model": known}))
    assert not folders.is_sealed(two_files)
    assert not folders.is_intact(two_files)


def test_a_folder_without_a_list_is_not_intact(two_files):
    assert not folders.is_intact(two_files)
    assert not folders.is_intact(two_files / "none")


@pytest.mark.parametrize("data", [None, b"", b"{", b"\xff"])
def test_missing_or_malformed_json_is_storage_damaged(tmp_path, data):
    path = tmp_path / "value.json"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(StorageDamaged, match="run again, or `darkroom cache verify --repair`"):
        folders.read_json(path)
