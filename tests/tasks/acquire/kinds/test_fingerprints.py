"""What a source holds right now: the same content the same digest, any change another."""

import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import SourceMissing
from storage.workspace import Workspace
from tasks.acquire.kinds import fingerprint
from tasks.acquire.parameters import Archive, Digits, Folders
from tests.pictures import picture, write_folders
from tests.project import examples
from tests.tasks.acquire.conftest import zip_bytes

AN_HOUR_AGO = time.time() - 3600


def settle(folder):
    """Make every file look as if it was written long ago."""
    for path in folder.rglob("*"):
        if path.is_file():
            os.utime(path, (AN_HOUR_AGO, AN_HOUR_AGO), follow_symlinks=False)
    return folder


@pytest.fixture
def pictures(tmp_path):
    return settle(write_folders(tmp_path / "pictures", per_class=3))


@pytest.fixture
def of_folder(workspace, pictures):
    workspace.root.mkdir()  # as a run does; who only looks remembers nothing
    return lambda: fingerprint(workspace, Folders(folder=pictures))


@pytest.fixture
def zipped(tmp_path):
    path = tmp_path / "pictures.zip"
    path.write_bytes(zip_bytes({"cat.0.jpg": picture(1)}))
    return path


def test_the_same_content_elsewhere_is_the_same_source(workspace, tmp_path, pictures):
    copy = write_folders(tmp_path / "copy", per_class=3)
    assert fingerprint(workspace, Folders(folder=copy)) == fingerprint(
        workspace, Folders(folder=pictures)
    )


def test_touching_a_file_is_no_change(of_folder, pictures):
    before = of_folder()
    (pictures / "ant" / "ant.1.jpg").touch()
    assert of_folder() == before


def test_every_change_of_a_folder_is_seen(of_folder, pictures):
    seen = [of_folder()]
    (pictures / "ant" / "ant.1.jpg").write_bytes(picture(77))
    seen.append(of_folder())
    (pictures / "ant" / "ant.1.jpg").rename(pictures / "ant" / "ant.9.jpg")
    seen.append(of_folder())
    (pictures / "ant" / "ant.9.jpg").unlink()
    seen.append(of_folder())
    (pictures / "ant" / "ant.0.jpg").rename(pictures / "bee" / "ant.0.jpg")
    seen.append(of_folder())
    (pictures / "notes.txt").touch()
    seen.append(of_folder())
    (pictures / "link.jpg").symlink_to("notes.txt")
    seen.append(of_folder())
    assert len(set(seen)) == len(seen)


@examples(30)
@given(
    first=st.dictionaries(st.sampled_from("abc"), st.binary(max_size=3), max_size=3),
    second=st.dictionaries(st.sampled_from("abc"), st.binary(max_size=3), max_size=3),
)
def test_folders_are_the_same_exactly_if_their_files_are(tmp_path_factory, first, second):
    root = tmp_path_factory.mktemp("identity")
    digests = []
    for number, files in enumerate((first, second)):
        folder = root / str(number)
        folder.mkdir()
        for name, data in files.items():
            (folder / name).write_bytes(data)
        digests.append(fingerprint(Workspace(root / "workspace"), Folders(folder=folder)))
    assert (digests[0] == digests[1]) == (first == second)


def test_an_untouched_folder_is_not_read_again(of_folder, pictures, opened):
    before = of_folder()
    opened.clear()
    assert of_folder() == before
    assert opened == []


def test_one_new_picture_is_the_only_one_read(of_folder, pictures, opened):
    of_folder()
    (pictures / "bee" / "new.jpg").write_bytes(picture(50))
    opened.clear()
    of_folder()
    assert opened == [str(pictures / "bee" / "new.jpg")]


def test_links_and_pipes_are_not_read(of_folder, pictures):
    (pictures / "endless.jpg").symlink_to("/dev/zero")
    (pictures / "gone.jpg").symlink_to("/none")
    os.mkfifo(pictures / "pipe.jpg")
    assert of_folder()


def test_names_of_undecodable_bytes_are_no_obstacle(of_folder, pictures):
    before = of_folder()
    with open(os.fsencode(pictures) + b"/caf\xe9.jpg", "wb"):  # noqa: PTH123 - a name of bytes
        pass
    settle(pictures)
    assert of_folder() != before
    assert of_folder() == of_folder()


def test_a_missing_folder_is_source_missing(workspace, tmp_path):
    with pytest.raises(SourceMissing):
        fingerprint(workspace, Folders(folder=tmp_path / "none"))


def test_a_changed_archive_is_another_source(workspace, zipped):
    source = Archive(archive=zipped)
    before = fingerprint(workspace, source)
    assert fingerprint(workspace, source) == before
    zipped.write_bytes(zip_bytes({"cat.0.jpg": picture(2)}))
    assert fingerprint(workspace, source) != before


def test_an_archive_still_being_written_is_another_source(workspace, zipped):
    before = fingerprint(workspace, Archive(archive=zipped))
    with zipped.open("ab") as stream:
        stream.write(b"\0")
    assert fingerprint(workspace, Archive(archive=zipped)) != before


def test_an_archive_by_another_name_is_the_same_source(workspace, zipped, tmp_path):
    before = fingerprint(workspace, Archive(archive=zipped))
    moved = zipped.rename(tmp_path / "renamed.zip")
    assert fingerprint(workspace, Archive(archive=moved)) == before


def test_a_changed_table_of_labels_is_another_source(workspace, zipped, tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text("id,label\ncat.0,cat\n")
    source = Archive(archive=zipped, label_from="csv", label_csv=str(table))
    before = fingerprint(workspace, source)
    table.write_text("id,label\ncat.0,dog\n")
    assert fingerprint(workspace, source) != before


def test_a_missing_archive_has_an_identity_of_its_own(workspace, tmp_path):
    first = fingerprint(workspace, Archive(archive=tmp_path / "a.zip"))
    assert first != fingerprint(workspace, Archive(archive=tmp_path / "b.zip"))


def test_an_archive_that_kaggle_would_give_is_known_by_its_name(workspace, tmp_path, zipped):
    source = Archive(archive=tmp_path / "none.zip", kaggle="competitions/dogs-vs-cats")
    other = Archive(archive=tmp_path / "none.zip", kaggle="competitions/other")
    assert fingerprint(workspace, source) != fingerprint(workspace, other)
    here = Archive(archive=zipped, kaggle="competitions/dogs-vs-cats")
    assert fingerprint(workspace, here) == fingerprint(workspace, Archive(archive=zipped))


def test_a_table_beside_an_archive_that_kaggle_would_give_counts_too(workspace, tmp_path):
    table = tmp_path / "labels.csv"
    source = Archive(
        archive=tmp_path / "none.zip", kaggle="competitions/dogs", label_from="csv",
        label_csv=str(table),
    )  # fmt: skip
    seen = {fingerprint(workspace, source)}
    for label in ("cat", "dog"):
        table.write_text(f"id,label\ncat.0,{label}\n")
        seen.add(fingerprint(workspace, source))
    assert len(seen) == 3


def test_the_digits_are_not_written_to_be_asked_for(workspace):
    assert fingerprint(workspace, Digits()) == fingerprint(workspace, Digits())
    assert not workspace.root.exists()
