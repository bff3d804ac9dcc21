"""Folders of class folders: every file is a row, and nothing outside is read."""

import os
import socket
import tempfile
from pathlib import Path

import pandas as pd
import pytest

from storage.errors import SourceDamaged, SourceMissing
from storage.fingerprints import Fingerprints
from storage.images import ImageStore
from tasks.acquire import walking
from tasks.acquire.gathering import Gathering
from tasks.acquire.kinds import folders
from tasks.acquire.parameters import Folders
from tests.pictures import picture
from tests.tasks.acquire.conftest import contents, statuses

CAT, DOG = picture(1), picture(2)


def files_of(folder, limit=2**20):
    return list(folders.files_of(folder, max_file_bytes=limit))


def write(folder, files):
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def test_pictures_come_back_under_their_place_in_the_folder(tmp_path):
    files = {"cat/1.jpg": CAT, "dog/1.jpg": DOG, "dog/puppies/2.JPG": DOG, "top.jpg": CAT}
    assert contents(files_of(write(tmp_path / "pictures", files))) == files


def test_the_order_does_not_depend_on_the_disk(tmp_path):
    for name in ("b/2.jpg", "a/1.jpg", "b/1.jpg", "a/b/1.jpg"):
        write(tmp_path / "pictures", {name: CAT})
    names = [found.name for found in files_of(tmp_path / "pictures")]
    assert names == ["a/1.jpg", "a/b/1.jpg", "b/1.jpg", "b/2.jpg"]


def test_odd_names_come_back_as_they_are(tmp_path):
    files = {"two words/ünï 猫.jpg": CAT, "<script>/1.jpg": DOG, "x" * 200 + "/1.jpg": CAT}
    assert contents(files_of(write(tmp_path / "pictures", files))) == files


def test_other_files_are_told_apart(tmp_path):
    files = {"cat/1.jpg": CAT, "cat/notes.txt": b"x", "cat/.DS_Store": b"x", "cat/._1.jpg": b"x"}
    assert statuses(files_of(write(tmp_path / "pictures", files))) == {
        "cat/1.jpg": "kept",
        "cat/notes.txt": "not a picture",
        "cat/.DS_Store": "system file",
        "cat/._1.jpg": "system file",
    }


def test_a_missing_folder_names_the_remedy(tmp_path):
    with pytest.raises(SourceMissing, match=r"none, found none: .*source\.folder=PATH"):
        files_of(tmp_path / "none")


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SourceMissing, match="expected a folder of class folders"):
        files_of(tmp_path / "file")


def test_an_empty_folder_is_no_rows(tmp_path):
    assert files_of(tmp_path) == []


def test_a_link_to_a_file_is_set_aside(tmp_path):
    write(tmp_path, {"outside.jpg": CAT, "pictures/dog/1.jpg": DOG})
    (tmp_path / "pictures" / "dog" / "2.jpg").symlink_to(tmp_path / "outside.jpg")
    assert statuses(files_of(tmp_path / "pictures")) == {
        "dog/1.jpg": "kept",
        "dog/2.jpg": "unsafe name",
    }


def test_a_link_to_a_folder_is_set_aside_not_followed_and_not_silent(tmp_path):
    write(tmp_path, {"outside/1.jpg": CAT, "pictures/dog/1.jpg": DOG})
    (tmp_path / "pictures" / "cat").symlink_to(tmp_path / "outside")
    assert statuses(files_of(tmp_path / "pictures")) == {"dog/1.jpg": "kept", "cat": "unsafe name"}


def test_a_folder_that_links_to_itself_ends(tmp_path):
    write(tmp_path / "pictures", {"cat/1.jpg": CAT})
    (tmp_path / "pictures" / "cat" / "again").symlink_to(tmp_path / "pictures")
    assert contents(files_of(tmp_path / "pictures")) == {"cat/1.jpg": CAT}


def test_a_dangling_link_is_set_aside(tmp_path):
    (tmp_path / "1.jpg").symlink_to(tmp_path / "none.jpg")
    assert statuses(files_of(tmp_path)) == {"1.jpg": "unsafe name"}


def test_the_folder_itself_may_be_a_link(tmp_path):
    write(tmp_path / "pictures", {"cat/1.jpg": CAT})
    (tmp_path / "link").symlink_to(tmp_path / "pictures")
    assert contents(files_of(tmp_path / "link")) == {"cat/1.jpg": CAT}


def test_a_pipe_is_set_aside_and_nobody_waits_for_it(tmp_path):
    os.mkfifo(tmp_path / "1.jpg")
    assert statuses(files_of(tmp_path)) == {"1.jpg": "unsafe name"}


def test_a_socket_is_set_aside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's address must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("1.jpg")
        assert statuses(files_of(tmp_path)) == {"1.jpg": "unsafe name"}


def test_a_file_too_large_is_a_row_and_is_not_opened(tmp_path):
    with (tmp_path / "1.jpg").open("wb") as stream:
        stream.truncate(2**40)
    write(tmp_path, {"2.jpg": b"x" * 100})
    rows = files_of(tmp_path, limit=100)
    assert statuses(rows) == {"1.jpg": "too many bytes", "2.jpg": "kept"}
    assert "source.max_file_bytes (100)" in rows[0].reason


def test_names_of_undecodable_bytes_come_back(tmp_path):
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(folder)  # noqa: PTH102 - pathlib takes no bytes
    with open(folder + b"/1.jpg", "wb") as stream:  # noqa: PTH123 - as above
        stream.write(CAT)
    assert contents(files_of(tmp_path)) == {"caf\udce9/1.jpg": CAT}


@pytest.fixture
def unreadable():
    """Make a path unreadable, and this process one that must respect it."""
    with tempfile.TemporaryDirectory() as name:
        folder = write(Path(name), {"cat/1.jpg": CAT, "dog/1.jpg": DOG})
        folder.chmod(0o755)
        root = os.geteuid() == 0

        def take_away(path):
            (folder / path).chmod(0)
            if root:
                os.seteuid(65534)
            return folder

        yield take_away
        if root:
            os.seteuid(0)
        (folder / "dog").chmod(0o755)


def test_an_unreadable_folder_is_an_error_not_an_absence(unreadable):
    folder = unreadable("dog")
    with pytest.raises(SourceDamaged, match=r"cannot read .*dog.*Permission denied"):
        files_of(folder)


def test_an_unreadable_picture_is_an_error_that_names_it(unreadable):
    folder = unreadable("cat/1.jpg")
    with pytest.raises(SourceDamaged, match=r"cannot read .*cat/1\.jpg.*Permission denied"):
        files_of(folder)


def test_an_unreadable_picture_stops_the_fingerprint_too(unreadable):
    folder = unreadable("cat/1.jpg")
    memo = Fingerprints(folder.parent / f"{folder.name}.sqlite")
    with pytest.raises(SourceDamaged, match=r"cannot read .*cat/1\.jpg.*Permission denied"):
        memo.of_files(walking.paths_of(folder))
    Path(f"{folder}.sqlite").unlink()


def test_a_picture_removed_while_the_folder_is_read_is_an_error(tmp_path):
    write(tmp_path, {"1.jpg": CAT, "2.jpg": DOG})
    found = folders.files_of(tmp_path, max_file_bytes=2**20)
    next(found)
    (tmp_path / "2.jpg").unlink()
    with pytest.raises(SourceDamaged, match=r"cannot read .*2\.jpg"):
        list(found)


LONG_AGO = 1_600_000_000


@pytest.fixture
def collected(workspace, tmp_path, opened):
    """Collect the pictures of a folder; its rows, and the names of the pictures that were read."""
    source = Folders(folder=tmp_path / "pictures")
    workspace.made()

    def collect():
        folders.fingerprint(workspace, source)
        opened.clear()
        table = folders.rows(source, Gathering(workspace, "no", lambda number: None)).table
        top = f"{source.folder}/"
        return table, [path.removeprefix(top) for path in opened if path.startswith(top)]

    return collect


def test_a_second_look_reads_only_what_is_new_or_was_touched(collected, tmp_path):
    files = {"cat/1.jpg": CAT, "cat/2.jpeg": picture(3), "dog/1.jpg": DOG, "dog/2.jpg": picture(4)}
    folder = write(tmp_path / "pictures", files)
    for name in files:
        os.utime(folder / name, (LONG_AGO, LONG_AGO))
    first, read = collected()
    assert sorted(read) == sorted(files)
    again, read = collected()
    assert read == []
    pd.testing.assert_frame_equal(again, first)
    write(folder, {"cat/3.jpg": picture(5), "dog/2.jpg": picture(6)})
    more, read = collected()
    assert sorted(read) == ["cat/3.jpg", "dog/2.jpg"]
    kept = more[~more["name"].isin(read)].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, first[first["name"] != "dog/2.jpg"].reset_index(drop=True))


def test_a_picture_that_is_gone_from_the_store_is_read_again(collected, tmp_path, workspace):
    folder = write(tmp_path / "pictures", {"cat/1.jpg": CAT, "dog/1.jpg": DOG})
    for name in ("cat/1.jpg", "dog/1.jpg"):
        os.utime(folder / name, (LONG_AGO, LONG_AGO))
    first, _ = collected()
    lost = first.loc[first["name"] == "cat/1.jpg", "image"].item()
    ImageStore(workspace.images).path(lost).unlink()
    again, read = collected()
    assert read == ["cat/1.jpg"]
    assert ImageStore(workspace.images).read(lost) == CAT
    pd.testing.assert_frame_equal(again, first)


def test_a_picture_under_a_wrong_suffix_keeps_its_true_one(collected, tmp_path):
    folder = write(tmp_path / "pictures", {"cat/1.png": CAT, "dog/1.jpg": DOG})
    for name in ("cat/1.png", "dog/1.jpg"):
        os.utime(folder / name, (LONG_AGO, LONG_AGO))
    first, _ = collected()
    again, _ = collected()
    assert first.loc[first["name"] == "cat/1.png", "image"].item().endswith(".jpg")
    pd.testing.assert_frame_equal(again, first)
