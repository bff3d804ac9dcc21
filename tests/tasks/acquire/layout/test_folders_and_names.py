"""Class folders, split folders and names, in folders, zips and tars alike."""

import pytest

from storage.errors import SourceError
from tasks.acquire.parameters import Archive, Folders
from tests.tasks.acquire.conftest import tar_bytes, zip_bytes
from tests.tasks.acquire.layout.conftest import (
    by_name,
    class_folders,
    labels_of,
    picture,
    pictures,
    reasons_of,
    remarks,
    written,
)


def test_class_folders_are_recognised(container, taken):
    found = taken(container(class_folders(["ant", "bee"])))
    assert labels_of(found.table) == {("ant", ""): 4, ("bee", ""): 4}
    assert found.remarks == ("understood as 2 class folders",)


def test_class_folders_below_others_are_found(container, taken):
    found = taken(container(class_folders(["ant", "bee"], before="data/images/")))
    assert labels_of(found.table) == {("ant", ""): 4, ("bee", ""): 4}
    assert "2 class folders in data/images/" in remarks(found)


@pytest.mark.parametrize(
    ("first", "second", "third"),
    [("train", "validation", "test"), ("train", "valid", "test"), ("Training", "Val", "Testing"),
     ("train_set", "dev", "test_set"), ("train", "val", "holdout")],
)  # fmt: skip
@pytest.mark.parametrize("before", ["", "cats_and_dogs_filtered/"])
def test_split_folders_are_splits(first, second, third, before, container, taken):
    files = {}
    for number, split in enumerate((first, second, third), start=1):
        files |= class_folders(["cat", "dog"], number, f"{before}{split}/")
    found = taken(container(files))
    assert labels_of(found.table) == {
        (label, split): number
        for label in ("cat", "dog")
        for number, split in enumerate(("train", "validation", "test"), start=1)
    }
    assert f"{first}/" in remarks(found)


def test_split_folders_may_lie_in_the_class_folders(container, taken):
    files = class_folders(["train", "test"], 3, "cat/") | class_folders(
        ["train", "test"], 2, "dog/"
    )
    found = taken(container(files))
    assert labels_of(found.table) == {
        ("cat", "train"): 3, ("cat", "test"): 3, ("dog", "train"): 2, ("dog", "test"): 2,
    }  # fmt: skip


def test_pictures_without_a_label_in_a_test_folder_are_to_be_classified(container, taken):
    files = class_folders(["cat", "dog"], 3, "train/") | pictures(["test/1.jpg", "test/2.jpg"])
    found = taken(container(files))
    assert labels_of(found.table) == {("cat", "train"): 3, ("dog", "train"): 3}
    assert reasons_of(found.table)["test/1.jpg"] == (
        "unlabelled", "no label, in a test folder: one to classify",
    )  # fmt: skip


def test_a_class_called_train_is_a_class(container, taken):
    found = taken(container(class_folders(["bus", "train", "tram"])))
    assert labels_of(found.table) == {("bus", ""): 4, ("train", ""): 4, ("tram", ""): 4}


def test_folders_below_class_folders_are_told(container, taken):
    files = class_folders(["red", "green"], 2, "apple/") | class_folders(["ripe"], 2, "pear/")
    found = taken(container(files))
    assert labels_of(found.table) == {("apple", ""): 4, ("pear", ""): 2}
    assert "source.label_from=folder takes the innermost folder" in remarks(found)


def test_the_innermost_folders_may_be_asked_for(container, taken):
    files = class_folders(["red", "green"], 2, "apple/") | class_folders(["ripe"], 2, "pear/")
    found = taken(container(files, label_from="folder"))
    assert labels_of(found.table) == {("red", ""): 2, ("green", ""): 2, ("ripe", ""): 2}


def test_kaggles_names_are_recognised(container, taken):
    files = pictures([f"train/{label}.{i}.jpg" for label in ("cat", "dog") for i in range(3)])
    found = taken(container(files | pictures(["test1/1.jpg", "test1/2.jpg"])))
    assert labels_of(found.table) == {("cat", "train"): 3, ("dog", "train"): 3}
    assert set(reasons_of(found.table)) == {"test1/1.jpg", "test1/2.jpg"}


def test_class_folders_win_over_names_and_the_names_are_told(container, taken):
    files = pictures(
        [f"{c}/{n}.{i}.jpg" for c in ("holiday", "home") for n in ("sea", "hill") for i in (1, 2)]
    )
    found = taken(container(files))
    assert labels_of(found.table) == {("holiday", ""): 4, ("home", ""): 4}
    assert "source.label_from=name" in remarks(found)


def test_folders_of_parts_are_no_classes(container, taken):
    files = pictures([f"images_part_1/cat.{i}.jpg" for i in (1, 2)])
    files |= pictures([f"images_part_2/dog.{i}.jpg" for i in (1, 2)])
    assert labels_of(taken(container(files)).table) == {("cat", ""): 2, ("dog", ""): 2}


def test_names_in_the_current_folder_lose_the_dot(tmp_path, taken):
    (tmp_path / "set.tar").write_bytes(tar_bytes(class_folders(["cat", "dog"], 1, "./")))
    found = taken(Archive(archive=tmp_path / "set.tar"))
    assert by_name(found.table) == {"cat/0.jpg": "cat", "dog/0.jpg": "dog"}


def test_zips_called_after_classes_are_classes(tmp_path, taken):
    inner = {f"{label}.zip": zip_bytes(pictures(["1.jpg", "2.jpg"])) for label in ("cat", "dog")}
    (tmp_path / "set.zip").write_bytes(zip_bytes(inner))
    found = taken(Archive(archive=tmp_path / "set.zip"))
    assert labels_of(found.table) == {("cat", ""): 2, ("dog", ""): 2}


def test_zips_called_after_splits_are_splits(tmp_path, taken):
    inner = {f"{s}.zip": zip_bytes(class_folders(["cat", "dog"], 2)) for s in ("train", "valid")}
    (tmp_path / "set.zip").write_bytes(zip_bytes(inner))
    found = taken(Archive(archive=tmp_path / "set.zip"))
    assert labels_of(found.table) == {
        (label, split): 2 for label in ("cat", "dog") for split in ("train", "validation")
    }


def test_a_picture_without_a_suffix_is_one_by_its_bytes(container, taken):
    files = {"cat/1": picture(1), "dog/2.large": picture(2), "dog/notes": b"hello"}
    found = taken(container(files))
    assert by_name(found.table) == {"cat/1": "cat", "dog/2.large": "dog"}
    assert reasons_of(found.table)["dog/notes"][0] == "not a picture"


def test_links_to_pictures_and_class_folders_are_followed(tmp_path, taken):
    elsewhere = written(tmp_path / "cache", class_folders(["a", "b"]))
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "cat").symlink_to(elsewhere / "a")
    (folder / "dog").mkdir()
    for path in (elsewhere / "b").iterdir():
        (folder / "dog" / path.name).symlink_to(path)
    assert labels_of(taken(Folders(folder=folder)).table) == {("cat", ""): 4, ("dog", ""): 4}


def test_links_in_a_circle_and_to_nowhere_are_rows(tmp_path, taken):
    folder = written(tmp_path / "set", class_folders(["cat", "dog"], 2))
    (folder / "cat" / "up").symlink_to(folder)
    (folder / "dog" / "gone.jpg").symlink_to(folder / "nothing.jpg")
    found = taken(Folders(folder=folder))
    assert labels_of(found.table) == {("cat", ""): 2, ("dog", ""): 2}
    assert reasons_of(found.table) == {
        "cat/up": ("unsafe name", "a link in a circle: it leads to a folder above itself"),
        "dog/gone.jpg": ("unsafe name", "a link that leads to no file"),
    }


def test_a_link_to_a_folder_above_the_source_ends(tmp_path, taken):
    folder = written(tmp_path / "set", class_folders(["cat", "dog"], 2))
    (folder / "cat" / "up").symlink_to(tmp_path)
    found = taken(Folders(folder=folder))
    assert len(found.table) < 100


def test_one_class_folder_alone_is_told_of_those_beside_it(tmp_path, taken):
    folder = written(tmp_path / "set", class_folders(["cat", "dog"], 2))
    found = taken(Folders(folder=folder / "cat"))
    assert f"source.folder={folder}" in remarks(found)


def test_names_alike_are_told_with_the_words_that_merge_them(container, taken):
    files = class_folders(["Cat", "dog"], 3) | class_folders(["cat "], 1)
    found = taken(container(files))
    assert labels_of(found.table) == {("Cat", ""): 3, ("dog", ""): 3, ("cat", ""): 1}
    assert """--set 'source.merge={"Cat": ["cat"]}'""" in remarks(found)


def test_blanks_alone_make_two_classes_that_are_told(container, taken):
    found = taken(container(class_folders(["cat", "cat ", "dog"], 2)))
    assert labels_of(found.table) == {("cat", ""): 2, ("cat ", ""): 2, ("dog", ""): 2}
    assert "source.merge" in remarks(found)


def test_a_decomposed_name_alone_becomes_composed(container, taken):
    found = taken(container(class_folders(["caf\u0065\u0301", "tea"], 2)))
    assert labels_of(found.table) == {("caf\u00e9", ""): 2, ("tea", ""): 2}


def test_classes_are_merged_chosen_and_left_out(container, taken):
    files = class_folders(["beagle", "husky", "cat", "cow"], 2)
    options = {"merge": {"dog": ["beagle", "husky"]}, "exclude": ["cow"]}
    found = taken(container(files, **options))
    assert labels_of(found.table) == {("dog", ""): 4, ("cat", ""): 2}
    assert reasons_of(found.table)["cow/0.jpg"][0] == "not chosen"
    found = taken(container(files, classes=["cat", "cow"]))
    assert labels_of(found.table) == {("cat", ""): 2, ("cow", ""): 2}


def test_a_class_that_is_not_there_is_an_error(container, taken):
    with pytest.raises(SourceError, match=r"source.classes names 'cta'.*found 'cat', 'dog'"):
        taken(container(class_folders(["cat", "dog"]), classes=["cta"]))


def test_a_class_to_leave_out_that_is_not_there_is_told(container, taken):
    found = taken(container(class_folders(["cat", "dog"]), exclude=["cow"]))
    assert "source.exclude names 'cow', which is no class here" in found.remarks


def test_groups_are_read_from_paths(container, taken):
    files = pictures(
        [f"{c}/patient{p}_{i}.jpg" for c in ("ill", "well") for p in "12" for i in "ab"]
    )
    found = taken(container(files, group_pattern=r"patient(?P<group>\d+)"))
    assert found.table["known_group"].tolist() == ["1", "1", "2", "2"] * 2
    with pytest.raises(SourceError, match="group_pattern matches no name"):
        taken(container(files, group_pattern=r"nobody(?P<group>\d+)"))
