"""Where results may be written."""

from pathlib import Path

import pytest

from storage.errors import ParameterError
from tasks.classify.output_files import TABLES, check_file, check_files, check_folder


def test_a_file_in_folders_to_come_is_fine_and_nothing_is_left_of_the_try(tmp_path):
    check_file(tmp_path / "new" / "newer" / "t.CSV", TABLES)
    (tmp_path / "old.csv").write_bytes(b"old")
    check_file(tmp_path / "old.csv", TABLES)
    assert [path.name for path in tmp_path.iterdir()] == ["old.csv"]
    assert (tmp_path / "old.csv").read_bytes() == b"old"


@pytest.mark.parametrize("wrong", ["t.txt", "t", "/", "", "..", "/dev/null", "test1.zip"])
def test_a_suffix_is_asked_for(wrong):
    with pytest.raises(ParameterError, match=r"ends with \.csv or \.parquet"):
        check_file(Path(wrong), TABLES)


@pytest.mark.parametrize(
    "wrong",
    ["folder.csv", "null.csv", "file/t.csv", "n" * 300 + ".csv", "n" * 300 + "/t.csv", "a\0.csv",
     "new/" + "n" * 300 + ".csv", "/proc/t.csv"],
)  # fmt: skip
def test_a_file_that_cannot_be_there_is_named(tmp_path, wrong):
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "null.csv").symlink_to("/dev/null")
    (tmp_path / "file").write_bytes(b"")
    before = set(tmp_path.rglob("*"))
    with pytest.raises(ParameterError, match="that can be written"):
        check_file(tmp_path / wrong, TABLES)
    assert set(tmp_path.rglob("*")) == before


def test_two_results_are_two_files(tmp_path):
    (tmp_path / "same").symlink_to(tmp_path, target_is_directory=True)
    check_files(tmp_path / "t.csv", tmp_path / "s.csv", [])
    with pytest.raises(ParameterError, match="for both"):
        check_files(tmp_path / "t.csv", tmp_path / "same" / "t.csv", [])


def test_no_picture_is_replaced(tmp_path):
    for name in ("1.csv", "2.csv"):
        (tmp_path / name).write_bytes(b"pictures may be called anything")
    (tmp_path / "link.jpg").symlink_to(tmp_path / "2.csv")
    given = [tmp_path / "x" / ".." / "1.csv", tmp_path / "link.jpg"]
    (tmp_path / "x").mkdir()
    check_files(tmp_path / "3.csv", None, given)
    for name in ("1.csv", "2.csv"):
        with pytest.raises(ParameterError, match="would be replaced"):
            check_files(tmp_path / name, None, given)
        with pytest.raises(ParameterError, match="would be replaced"):
            check_files(None, tmp_path / name, given)


def test_a_submission_is_a_csv(tmp_path):
    with pytest.raises(ParameterError, match=r"ends with \.csv, found"):
        check_files(None, tmp_path / "test1.zip", [])
    with pytest.raises(ParameterError, match=r"ends with \.csv, found"):
        check_files(None, tmp_path / "s.parquet", [])


def test_drawn_pictures_lie_beside_the_given_ones(tmp_path):
    album = tmp_path / "album"
    album.mkdir()
    (tmp_path / "same").symlink_to(album, target_is_directory=True)
    check_folder(None, [album])
    for fine in (tmp_path, tmp_path / "album2", tmp_path / "drawn"):
        check_folder(fine, [album, tmp_path / ("n" * 300)])
    for wrong in (album, album / "drawn", album / "a" / "b", tmp_path / "same" / "drawn"):
        with pytest.raises(ParameterError, match="--drawn"):
            check_folder(wrong, [tmp_path / "other", album])
