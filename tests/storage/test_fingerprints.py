"""What is in a file, known without reading it again, and never wrongly."""

import contextlib
import os
import sqlite3
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import digests
from storage.errors import SourceChanged, StorageFull
from storage.fingerprints import Fingerprints, unchanged
from tests.project import examples

AN_HOUR_AGO = time.time() - 3600


@pytest.fixture
def memo(workspace):
    workspace.root.mkdir(exist_ok=True)
    return Fingerprints(workspace.fingerprints)


def settled(path, data):
    """A file that was written long ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (AN_HOUR_AGO, AN_HOUR_AGO))
    return path


@examples(30)
@given(contents=st.lists(st.binary(max_size=40), max_size=6))
def test_the_digest_is_that_of_the_content(tmp_path_factory, contents):
    folder = tmp_path_factory.mktemp("files")
    memo = Fingerprints(folder / "memo.sqlite")
    paths = [settled(folder / str(number), data) for number, data in enumerate(contents)]
    for _ in range(2):
        assert memo.of_files(paths) == [digests.of_bytes(data) for data in contents]


def test_an_untouched_file_is_not_opened_again(memo, tmp_path, opened):
    paths = [settled(tmp_path / str(number), b"x" * number) for number in range(5)]
    first = memo.of_files(paths)
    opened.clear()
    assert memo.of_files(paths) == first
    assert opened == []


def test_another_process_need_not_open_it_either(memo, workspace, tmp_path, opened):
    path = settled(tmp_path / "file", b"x")
    memo.of_file(path)
    opened.clear()
    assert Fingerprints(workspace.fingerprints).of_file(path) == digests.of_bytes(b"x")
    assert opened == []


def test_only_the_touched_file_is_opened(memo, tmp_path, opened):
    paths = [settled(tmp_path / str(number), b"old") for number in range(3)]
    memo.of_files(paths)
    paths[1].write_bytes(b"new")
    opened.clear()
    assert memo.of_files(paths)[1] == digests.of_bytes(b"new")
    assert opened == [str(paths[1])]


def test_a_change_that_keeps_size_and_time_is_still_seen(memo, tmp_path):
    path = settled(tmp_path / "file", b"old")
    memo.of_file(path)
    settled(path, b"new")
    assert memo.of_file(path) == digests.of_bytes(b"new")


def test_a_replaced_file_is_read_again(memo, tmp_path):
    path = settled(tmp_path / "file", b"old")
    memo.of_file(path)
    settled(tmp_path / "other", b"new").replace(path)
    assert memo.of_file(path) == digests.of_bytes(b"new")


def test_a_file_touched_just_now_is_not_remembered(memo, tmp_path, opened):
    path = tmp_path / "file"
    path.write_bytes(b"x")
    memo.of_file(path)
    opened.clear()
    memo.of_file(path)
    assert opened == [str(path)]


def test_a_time_in_the_future_is_remembered(memo, tmp_path, opened):
    path = settled(tmp_path / "file", b"x")
    os.utime(path, (2**32, 2**32))
    memo.of_file(path)
    opened.clear()
    assert memo.of_file(path) == digests.of_bytes(b"x")
    assert opened == []


def test_a_moved_file_is_read_once_under_its_new_name(memo, tmp_path, opened):
    path = settled(tmp_path / "file", b"x").rename(tmp_path / "moved")
    opened.clear()
    assert [memo.of_file(path), memo.of_file(path)] == [digests.of_bytes(b"x")] * 2
    assert opened == [str(path)]


def test_a_name_of_undecodable_bytes_is_remembered_too(memo, tmp_path, opened):
    path = settled(Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")), b"x")
    assert memo.of_file(path) == digests.of_bytes(b"x")
    opened.clear()
    memo.of_file(path)
    assert opened == []


def test_a_file_written_to_while_it_is_read_is_an_error(tmp_path):
    path = settled(tmp_path / "file", b"old")
    with pytest.raises(SourceChanged, match="expected a finished file"), unchanged(path):
        path.write_bytes(b"longer")


def test_a_file_appended_to_while_its_digest_is_computed_is_an_error(memo, tmp_path):
    path = tmp_path / "growing"
    path.write_bytes(b"x" * 1000)
    stop = threading.Event()

    def grow():
        with path.open("ab", buffering=0) as stream:
            while not stop.wait(0.0005):
                stream.write(b"x" * 100_000)

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        with pytest.raises(SourceChanged):
            memo.of_files([path] * 2000)
    finally:
        stop.set()
        writer.join()


def test_a_file_removed_while_it_is_read_is_an_error(tmp_path):
    path = settled(tmp_path / "file", b"old")
    with pytest.raises(SourceChanged), unchanged(path):
        path.unlink()


def test_a_file_replaced_while_it_is_read_is_an_error(tmp_path):
    path, other = settled(tmp_path / "file", b"old"), settled(tmp_path / "other", b"old")
    with pytest.raises(SourceChanged), unchanged(path):
        other.replace(path)


def test_reading_alone_changes_nothing(tmp_path):
    path = settled(tmp_path / "file", b"old")
    with unchanged(path):
        data = path.read_bytes()
    assert data == b"old"


def test_many_threads_share_one_memo(workspace, tmp_path):
    paths = [settled(tmp_path / str(number), b"x" * number) for number in range(40)]
    expected = [digests.of_bytes(b"x" * number) for number in range(40)]
    found = []

    def ask():
        found.append(Fingerprints(workspace.fingerprints).of_files(paths))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 6


@pytest.fixture
def remembered(memo, workspace, tmp_path):
    """Three files that the memo knows, their digests, and the memo's bytes."""
    paths = [settled(tmp_path / f"file {number}", b"%d" % number) for number in range(3)]
    return paths, memo.of_files(paths), workspace.fingerprints.read_bytes()


@pytest.mark.parametrize(
    ("damage", "is_told"),
    [
        (lambda whole: b"not a database, not at all" * 100, True),
        (lambda whole: whole[: len(whole) // 2], True),
        (lambda whole: b"", False),  # as one that is new
        (lambda whole: whole.replace(b"digest", b"\xff\xfegest"), True),
        (lambda whole: whole.replace(b"CREATE TABLE", b"CREATE TABLF"), True),
    ],
    ids=["garbage", "half", "empty", "no text", "no table"],
)
def test_a_damaged_memo_is_made_anew_with_a_word(
    memo, workspace, remembered, damage, is_told, capsys
):
    paths, expected, whole = remembered
    workspace.fingerprints.write_bytes(damage(whole))
    assert memo.of_files(paths) == expected
    said = capsys.readouterr().err
    assert ("was damaged" in said and "are read once more" in said) is is_told
    assert memo.of_files(paths) == expected
    assert capsys.readouterr().err == ""


@examples(60)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_stops_nothing(tmp_path_factory, place, bit):
    folder = tmp_path_factory.mktemp("flipped")
    memo = Fingerprints(folder / "memo.sqlite")
    paths = [settled(folder / f"file {number}", b"%d" % number) for number in range(3)]
    memo.of_files(paths)
    content = bytearray((folder / "memo.sqlite").read_bytes())
    content[int(place * len(content))] ^= 1 << bit
    (folder / "memo.sqlite").write_bytes(content)
    found = memo.of_files(paths)
    assert [len(digest) for digest in found] == [64] * 3
    memo.forget(folder)
    assert memo.of_files(paths) == [digests.of_bytes(b"%d" % number) for number in range(3)]
    assert set(memo.remembered()) >= {os.fsencode(path) for path in paths}


def test_digests_that_are_none_are_not_believed(memo, workspace, remembered):
    paths, expected, _ = remembered
    connection = sqlite3.connect(workspace.fingerprints)
    with connection:
        connection.execute("UPDATE files SET digest = '../../x'")
    connection.close()
    assert memo.of_files(paths) == expected


def test_a_full_disk_is_storage_full(small_disk, tmp_path):
    memo = Fingerprints(small_disk / "memo.sqlite")
    with contextlib.suppress(OSError):
        for number in range(100):
            (small_disk / str(number)).write_bytes(b"x" * 16384)
    with pytest.raises(StorageFull):
        memo.of_file(settled(tmp_path / "file", b"x"))


def test_without_a_workspace_nothing_is_remembered_and_none_is_made(workspace, tmp_path):
    path = settled(tmp_path / "a", b"a")
    assert Fingerprints(workspace.fingerprints).of_file(path) == digests.of_bytes(b"a")
    assert not workspace.root.exists()


def test_what_is_forgotten_is_read_again_and_nothing_else(memo, tmp_path, opened):
    inside = settled(tmp_path / "pictures" / "a" / "1", b"x")
    beside = [settled(tmp_path / name, b"x") for name in ("pictures.csv", "pictures2/1")]
    memo.of_files([inside, *beside])
    memo.forget(tmp_path / "pictures")
    opened.clear()
    memo.of_files([inside, *beside])
    assert opened == [str(inside)]


def test_a_single_file_can_be_forgotten(memo, tmp_path, opened):
    path = settled(tmp_path / "archive.zip", b"x")
    memo.of_file(path)
    memo.forget(path)
    opened.clear()
    memo.of_file(path)
    assert opened == [str(path)]
