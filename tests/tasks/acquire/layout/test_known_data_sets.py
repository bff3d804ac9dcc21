"""Data sets that everybody downloads, in their own shapes, written small."""

import json

import pytest

from storage.errors import SourceError
from tests.tasks.acquire.layout.conftest import (
    by_name,
    class_folders,
    csv_of,
    labels_of,
    pictures,
    reasons_of,
)


def test_birds_with_tables_of_ids(container, taken):
    """CUB-200: class folders, and tables that are joined by ids."""
    files = class_folders(["001.Black_footed_Albatross", "002.Laysan_Albatross"], 5, "CUB/images/")
    names = [name.removeprefix("CUB/images/") for name in files]
    files["CUB/images.txt"] = csv_of([(i, name) for i, name in enumerate(names, 1)], " ")
    files["CUB/image_class_labels.txt"] = csv_of([(i, 1 + i // 6) for i in range(1, 11)], " ")
    files["CUB/train_test_split.txt"] = csv_of([(i, i % 2) for i in range(1, 11)], " ")
    files["CUB/classes.txt"] = b"1 001.Black_footed_Albatross\n2 002.Laysan_Albatross\n"
    found = taken(container(files))
    assert labels_of(found.table) == {
        ("001.Black_footed_Albatross", ""): 5, ("002.Laysan_Albatross", ""): 5,
    }  # fmt: skip


def test_food_with_lists(container, taken):
    """Food-101: class folders and lists without suffixes."""
    files = class_folders(["apple_pie", "baby_back_ribs"], 4, "images/")
    for split, numbers in (("train", (0, 1, 2)), ("test", (3,))):
        lines = [f"{c}/{i}" for c in ("apple_pie", "baby_back_ribs") for i in numbers]
        files[f"meta/{split}.txt"] = "\n".join(lines).encode()
    files["meta/classes.txt"] = b"apple_pie\nbaby_back_ribs\n"
    found = taken(container(files))
    assert labels_of(found.table) == {("apple_pie", ""): 4, ("baby_back_ribs", ""): 4}
    words = found.remarks[-1].split("split.lists=")[1].split("'")[0]
    assert words in ("{train: meta/train.txt, test: meta/test.txt}",
                     "{test: meta/test.txt, train: meta/train.txt}")  # fmt: skip
    given = taken(container(files), lists={"train": "meta/train.txt", "test": "meta/test.txt"})
    assert labels_of(given.table) == {
        (label, split): number
        for label in ("apple_pie", "baby_back_ribs")
        for split, number in (("train", 3), ("test", 1))
    }


def test_moles_in_two_parts_with_a_table(container, taken):
    """HAM10000: folders that are parts, a table with several columns of few values."""
    names = [f"ISIC_{i:04}" for i in range(8)]
    files = pictures([f"HAM10000_images_part_{1 + i // 4}/{n}.jpg" for i, n in enumerate(names)])
    rows = [("lesion_id", "image_id", "dx", "dx_type", "age", "sex")]
    rows += [(f"H{i // 2}", n, ("nv", "mel")[i % 2], "histo", 50, "fm"[i // 4])
             for i, n in enumerate(names)]  # fmt: skip
    files["HAM10000_metadata.csv"] = csv_of(rows)
    found = taken(container(files, group_column="lesion_id"))
    assert labels_of(found.table) == {("nv", ""): 4, ("mel", ""): 4}
    assert found.table["known_group"].nunique() == 5  # four lesions, and the table's own row


def test_x_rays_packed_twice(container, taken):
    """Chest X-ray: the split folders, and the whole set once more inside them."""
    files = {}
    for before in ("chest_xray/", "chest_xray/chest_xray/"):
        for split in ("train", "test", "val"):
            files |= class_folders(["NORMAL", "PNEUMONIA"], 2, f"{before}{split}/")
    found = taken(container(files))
    assert labels_of(found.table) == {
        (label, split): 2
        for label in ("NORMAL", "PNEUMONIA") for split in ("train", "test", "validation")
    }  # fmt: skip
    assert "chest_xray/chest_xray/train/NORMAL/0.jpg" in reasons_of(found.table)


def test_scenes_with_words_around_the_splits(container, taken):
    """Intel scenes: `seg_train/seg_train`, and pictures to predict."""
    files = class_folders(["forest", "sea"], 3, "seg_train/seg_train/")
    files |= class_folders(["forest", "sea"], 1, "seg_test/seg_test/")
    files |= pictures(["seg_pred/seg_pred/1.jpg", "seg_pred/seg_pred/2.jpg"])
    found = taken(container(files))
    assert labels_of(found.table) == {
        ("forest", "train"): 3, ("sea", "train"): 3, ("forest", "test"): 1, ("sea", "test"): 1,
    }  # fmt: skip


@pytest.mark.parametrize("more", [[], ["bus"]])
def test_classes_that_sound_like_splits_are_classes(more, container, taken):
    classes = ["train_station", "test_tube", *more]
    found = taken(container(class_folders(classes)))
    assert labels_of(found.table) == {(label, ""): 4 for label in classes}


def test_breeds_with_more_pictures_to_predict_than_to_learn(container, taken):
    """Kaggle's dog breeds: a table for train, a form with a column per breed for test."""
    files = pictures([f"train/{i:x}.jpg" for i in range(6)] + [f"test/t{i}.jpg" for i in range(20)])
    files["labels.csv"] = csv_of(
        [("id", "breed"), *[(f"{i:x}", ("boxer", "pug")[i % 2]) for i in range(6)]]
    )
    files["sample_submission.csv"] = csv_of([("id", "boxer", "pug"), ("t0", 0.5, 0.5)])
    found = taken(container(files))
    assert labels_of(found.table) == {("boxer", "train"): 3, ("pug", "train"): 3}


def test_cassava_with_a_map_of_numbers(container, taken):
    files = pictures([f"train_images/{i}.jpg" for i in range(6)] + ["test_images/9.jpg"])
    files["train.csv"] = csv_of([("image_id", "label"), *[(f"{i}.jpg", i % 2) for i in range(6)]])
    files["label_num_to_disease_map.json"] = json.dumps({"0": "Blight", "1": "Healthy"}).encode()
    found = taken(container(files))
    assert labels_of(found.table) == {("Blight", "train"): 3, ("Healthy", "train"): 3}


def test_traffic_signs_with_a_table_for_the_test_folder(container, taken):
    """GTSRB: class folders for train, a table for test, a folder of signs beside them."""
    files = class_folders(["0", "1"], 4, "Train/") | pictures(["Meta/0.png", "Meta/1.png"])
    files |= pictures([f"Test/{i:05}.png" for i in range(4)])
    head = ("Width", "Height", "ClassId", "Path")
    train = [name for name in files if name.startswith("Train/")]
    files["Train.csv"] = csv_of([head, *[(30, 31, name.split("/")[1], name) for name in train]])
    files["Test.csv"] = csv_of([head, *[(30, 31, i % 2, f"Test/{i:05}.png") for i in range(4)]])
    found = taken(container(files))
    assert labels_of(found.table) == {
        ("0", "train"): 4, ("1", "train"): 4, ("0", "test"): 2, ("1", "test"): 2,
    }  # fmt: skip
    assert "Meta/0.png" in reasons_of(found.table)


@pytest.mark.parametrize("before", ["", "plantvillage/"])
def test_the_same_classes_in_each_folder_are_not_guessed(before, container, taken):
    """PlantVillage: `color/` and `grayscale/` hold the same classes; so do years."""
    files = class_folders(["Apple_scab", "Apple_healthy"], 2, f"{before}color/")
    files |= class_folders(["Apple_scab", "Apple_healthy"], 2, f"{before}grayscale/")
    with pytest.raises(SourceError, match=r"two ways: 'color', 'grayscale' each hold 'Apple_hea"):
        taken(container(files))
    inner = taken(container(files, label_from="folder"))
    assert labels_of(inner.table) == {("Apple_scab", ""): 4, ("Apple_healthy", ""): 4}
    top = taken(container(files, label_from="top_folder"))
    assert labels_of(top.table) == {("color", ""): 4, ("grayscale", ""): 4}


def test_captions_are_no_labels(container, taken):
    """Flickr: a text for each picture."""
    names = [f"{i}.jpg" for i in range(12)]
    files = pictures([f"Images/{name}" for name in names])
    files["captions.txt"] = csv_of([("image", "caption"), *[(n, f"thing {n}") for n in names]])
    with pytest.raises(SourceError, match=r"captions\.txt names the pictures in 'image'"):
        taken(container(files))


def test_a_table_of_attributes_that_may_each_be_the_label_is_not_guessed(container, taken):
    """Fashion products: several columns with few values."""
    names = [f"{1000 + i}.jpg" for i in range(12)]
    rows = [("id", "gender", "masterCategory", "year")]
    rows += [(n[:4], "mf"[i % 2], "abc"[i % 3], 2010 + i % 2) for i, n in enumerate(names)]
    files = pictures([f"images/{name}" for name in names]) | {"styles.csv": csv_of(rows)}
    with pytest.raises(SourceError, match=r"'gender', 'masterCategory', 'year': say --set source"):
        taken(container(files))
    found = taken(container(files, label_column="masterCategory"))
    assert labels_of(found.table) == {("a", ""): 4, ("b", ""): 4, ("c", ""): 4}


def test_columns_written_with_blanks(container, taken):
    """Roboflow's exports: `filename, cat, dog`."""
    names = [f"{i}.jpg" for i in range(4)]
    rows = [("filename", " cat", " dog")] + [(n, f" {i % 2}", f" {1 - i % 2}")
                                             for i, n in enumerate(names)]  # fmt: skip
    found = taken(container(pictures(names) | {"_classes.csv": csv_of(rows)}))
    assert by_name(found.table) == {"0.jpg": "dog", "1.jpg": "cat", "2.jpg": "dog", "3.jpg": "cat"}
