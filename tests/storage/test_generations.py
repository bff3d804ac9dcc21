"""Copies of what no run can make again: one damaged file loses nothing."""

import pytest

from storage import generations
from storage.errors import StorageDamaged


@pytest.fixture
def file(workspace):
    return workspace.splits / "lineage" / "mine-7.json"


def written(workspace, file, *contents):
    for content in contents:
        generations.write(workspace, file, content)


def test_a_file_that_never_was_is_none(workspace, file):
    assert generations.read(workspace, file) is None
    assert generations.is_whole(workspace, file)


def test_what_was_written_is_read_and_three_contents_are_kept(workspace, file):
    written(workspace, file, b"1", b"2", b"3", b"4")
    assert generations.read(workspace, file) == b"4"
    assert [one.read_bytes() for one in generations.copies(workspace, file)] == [b"2", b"3", b"4"]
    assert generations.damaged(workspace) == []


@pytest.mark.parametrize("damage", ["flipped", "gone", "empty", "folder"])
def test_damage_of_the_file_is_noticed_and_mended_by_reading(workspace, file, capsys, damage):
    written(workspace, file, b"1", b"2")
    file.unlink()
    if damage == "folder":
        file.mkdir()
    elif damage != "gone":
        file.write_bytes({"flipped": b"3", "empty": b""}[damage])
    assert not generations.is_whole(workspace, file)
    assert generations.read(workspace, file) == b"2"
    assert file.read_bytes() == b"2"
    assert "its copy takes its place" in capsys.readouterr().err
    assert generations.read(workspace, file) == b"2"
    assert capsys.readouterr().err == ""


def test_an_older_content_is_restored_only_on_demand_and_says_so(workspace, file):
    written(workspace, file, b"1", b"2", b"3")
    file.write_bytes(b"damaged")
    oldest, middle, newest = generations.copies(workspace, file)
    newest.write_bytes(b"damaged as well")
    with pytest.raises(StorageDamaged, match="--repair"):
        generations.read(workspace, file)
    assert file.read_bytes() == b"damaged"
    assert "what came after that is lost" in generations.restore(workspace, file)
    assert file.read_bytes() == b"2"
    for copy in (oldest, middle):
        copy.write_bytes(b"and these")
    file.write_bytes(b"damaged")
    with pytest.raises(StorageDamaged, match="no copy of it is whole"):
        generations.restore(workspace, file)
    assert file.read_bytes() == b"damaged"


def test_a_file_of_an_earlier_version_has_no_copies_and_is_taken_as_it_is(workspace, file):
    file.parent.mkdir(parents=True)
    file.write_bytes(b"old")
    assert generations.read(workspace, file) == b"old"
    generations.keep(workspace, file)
    generations.keep(workspace, file)
    assert len(generations.copies(workspace, file)) == 1


def test_a_kill_between_copy_and_file_leaves_the_content_before(workspace, file):
    written(workspace, file, b"1", b"2")
    file.write_bytes(b"1")  # as if the second had got no further than its copy
    assert generations.read(workspace, file) == b"1"
