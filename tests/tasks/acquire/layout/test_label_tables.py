"""Tables of labels: any form that people have, in folders, zips and tars alike."""

import json
import unicodedata

import pandas as pd
import pytest

from storage.errors import SourceError, SourceMissing
from tasks.acquire.parameters import Archive, Folders
from tests.tasks.acquire.conftest import zip_bytes
from tests.tasks.acquire.layout.conftest import (
    by_name,
    class_folders,
    csv_of,
    labels_of,
    pictures,
    reasons_of,
    remarks,
    written,
)

NAMES = [f"{i:03}.jpg" for i in range(8)]
ANIMALS = ["cat", "dog", "cat", "dog", "cat", "dog", "cat", "dog"]
RIGHT = dict(zip(NAMES, ANIMALS, strict=True))
PAIRS = list(zip(NAMES, ANIMALS, strict=True))


def frame(**columns):
    return pd.DataFrame({"image": NAMES, "label": ANIMALS} | columns)


def bytes_of(write):
    import io

    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


TABLES = {
    "commas": ("labels.csv", csv_of([("image", "label"), *PAIRS])),
    "semicolons": ("labels.csv", csv_of([("image", "label"), *PAIRS], ";")),
    "tabs": ("labels.tsv", csv_of([("image", "label"), *PAIRS], "\t")),
    "tabs in csv": ("labels.csv", csv_of([("image", "label"), *PAIRS], "\t")),
    "pipes": ("labels.txt", csv_of([("image", "label"), *PAIRS], "|")),
    "blanks": ("labels.txt", csv_of(PAIRS, " ")),
    "BOM": ("labels.csv", csv_of([("image", "label"), *PAIRS], encoding="utf-8-sig")),
    "UTF-16": ("labels.csv", csv_of([("image", "label"), *PAIRS], encoding="utf-16")),
    "UTF-16 without a mark": ("l.csv", csv_of([("image", "label"), *PAIRS], encoding="utf-16-le")),
    "no header": ("labels.csv", csv_of(PAIRS)),
    "label first": ("labels.csv", csv_of([("label", "image"), *[(b, a) for a, b in PAIRS]])),
    "label first, no header": ("labels.csv", csv_of([(b, a) for a, b in PAIRS])),
    "an index of pandas": ("labels.csv", frame().to_csv().encode()),
    "other columns": ("labels.csv", frame(width=range(8), site=["a", "b"] * 4).to_csv().encode()),
    "no suffix": ("labels.csv", csv_of([("id", "breed"), *[(a[:3], b) for a, b in PAIRS]])),
    "numbers": ("labels.csv", csv_of([("id", "y"), *[(int(a[:3]), b) for a, b in PAIRS]])),
    "folders": ("labels.csv", csv_of([("p", "label"), *[(f"pics/{a}", b) for a, b in PAIRS]])),
    "backslashes": ("labels.csv", csv_of([("p", "c"), *[(f"pics\\{a}", b) for a, b in PAIRS]])),
    "a drive": ("labels.csv", csv_of([("p", "c"), *[(f"C:\\d\\x\\{a}", b) for a, b in PAIRS]])),
    "absolute": ("labels.csv", csv_of([("p", "c"), *[(f"/home/me/x/{a}", b) for a, b in PAIRS]])),
    "capitals": ("labels.csv", csv_of([("p", "c"), *[(a.upper(), b) for a, b in PAIRS]])),
    "one-hot": ("labels.csv", csv_of(
        [("image", "cat", "dog"), *[(a, int(b == "cat"), int(b == "dog")) for a, b in PAIRS]])),
    "JSON objects": ("labels.json", frame().to_json(orient="records").encode()),
    "JSON columns": ("labels.json", frame().to_json().encode()),
    "JSON pairs": ("labels.json", json.dumps(RIGHT).encode()),
    "JSON lines": ("metadata.jsonl", frame().to_json(orient="records", lines=True).encode()),
    "a workbook": ("labels.xlsx", bytes_of(lambda f: frame().to_excel(f, index=False))),
    "Parquet": ("labels.parquet", bytes_of(lambda f: frame().to_parquet(f))),
    "Latin-1": ("labels.csv", csv_of(
        [("image", "label", "où"), *[(a, b, "près de l'école, à côté") for a, b in PAIRS]],
        encoding="latin-1")),
    "quoted lines": ("labels.csv", b"image,label\n" + b"".join(
        f'"{a}","{b}"\r\n'.encode() for a, b in PAIRS)),
}  # fmt: skip


@pytest.mark.parametrize("form", TABLES)
def test_every_form_of_a_table_is_taken(form, container, taken):
    name, data = TABLES[form]
    found = taken(container(pictures(NAMES) | {name: data}))
    assert by_name(found.table) == RIGHT
    assert name in remarks(found)


@pytest.mark.parametrize("form", ["commas", "no header", "one-hot", "a workbook", "JSON lines"])
def test_a_table_elsewhere_on_disk_is_taken(form, container, taken, tmp_path):
    name, data = TABLES[form]
    written(tmp_path / "elsewhere", {name: data})
    found = taken(container(pictures(NAMES), label_csv=str(tmp_path / "elsewhere" / name)))
    assert by_name(found.table) == RIGHT


def test_a_table_in_a_folder_of_the_source_is_found_by_its_name(container, taken):
    files = pictures([f"pics/{name}" for name in NAMES])
    files |= {"about/deep/cat_labels.csv": csv_of([("image", "label"), *PAIRS])}
    found = taken(container(files, label_csv="cat_labels.csv"))
    assert len(by_name(found.table)) == 8
    with pytest.raises(SourceMissing, match=r"did you mean about/deep/cat_labels.csv"):
        taken(container(files, label_csv="cat_label.csv"))


def test_a_column_of_splits_is_read(container, taken):
    split = ["train"] * 4 + ["val"] * 2 + ["test"] * 2
    files = pictures(NAMES) | {"labels.csv": frame(split=split).to_csv(index=False).encode()}
    found = taken(container(files))
    assert labels_of(found.table) == {
        (label, name): number
        for label in ("cat", "dog")
        for name, number in (("train", 2), ("validation", 1), ("test", 1))
    }
    assert "splits in 'split'" in remarks(found)


def test_columns_are_named(container, taken):
    table = pd.DataFrame(
        {"a": NAMES, "b": ANIMALS, "c": ["x", "y"] * 4, "d": ["p1"] * 4 + ["p2"] * 4,
         "e": ["2020-01-01"] * 8, "f": ["train", "train", "test", "test"] * 2}
    )  # fmt: skip
    files = pictures(NAMES) | {"t.csv": table.to_csv(index=False).encode()}
    with pytest.raises(SourceError, match=r"--set source.label_column=b or --set source.label_col"):
        taken(container(files))
    options = {"name_column": "a", "group_column": "d", "time_column": "e", "split_column": "6"}
    found = taken(container(files, label_column="b", **options))
    assert by_name(found.table) == RIGHT
    kept = found.table[found.table["status"] == "kept"]
    assert kept["known_group"].tolist() == ["p1"] * 4 + ["p2"] * 4
    assert set(kept["time"]) == {"2020-01-01"}
    assert kept["split"].tolist() == ["train", "train", "test", "test"] * 2
    with pytest.raises(SourceError, match="no column called 'z': its columns are 'a', 'b', 'c'"):
        taken(container(files, label_column="z"))


def test_two_columns_of_one_name_are_told(container, taken):
    rows = [("image", "label", "label"), *[(a, b, "x") for a, b in PAIRS]]
    files = pictures(NAMES) | {"t.csv": csv_of(rows)}
    with pytest.raises(SourceError, match="2 columns called 'label'"):
        taken(container(files, label_column="label"))


def test_names_match_in_either_form_of_unicode(container, taken):
    names = [f"{sign}{i}.jpg" for sign in "äé" for i in range(2)]
    files = pictures([unicodedata.normalize("NFD", name) for name in names])
    files["labels.csv"] = csv_of([("image", "label"), *[(name, name[0]) for name in names]])
    found = taken(container(files))
    assert labels_of(found.table) == {("ä", ""): 2, ("é", ""): 2}


def test_rows_without_a_picture_and_pictures_without_a_row_are_told(container, taken):
    rows = [("image", "label"), *PAIRS[:6], ("gone.jpg", "cat"), ("lost.jpg", "dog")]
    found = taken(container(pictures(NAMES) | {"labels.csv": csv_of(rows)}))
    assert by_name(found.table) == dict(PAIRS[:6])
    assert reasons_of(found.table)["007.jpg"] == ("unlabelled", "no row of labels.csv names it")
    assert "2 rows of labels.csv name no picture ('gone.jpg', 'lost.jpg')" in remarks(found)


def test_a_picture_with_two_labels_is_a_conflict(container, taken):
    rows = [("image", "label"), *PAIRS, ("000.jpg", "dog"), ("001.jpg", "dog")]
    found = taken(container(pictures(NAMES) | {"labels.csv": csv_of(rows)}))
    assert len(by_name(found.table)) == 7
    assert reasons_of(found.table)["000.jpg"] == (
        "label conflict", "labels.csv says cat and dog",
    )  # fmt: skip


def test_several_ones_in_a_row_are_refused_with_their_number(container, taken):
    rows = [("image", "cat", "dog"), *[(name, 1, int(i < 3)) for i, name in enumerate(NAMES)]]
    with pytest.raises(SourceError, match=r"3 pictures several classes.*multi-label is not"):
        taken(container(pictures(NAMES) | {"labels.csv": csv_of(rows)}))


def test_a_row_of_zeros_has_no_label(container, taken):
    rows = [("image", "cat", "dog"), *[(a, int(b == "cat"), int(b == "dog")) for a, b in PAIRS]]
    rows[1] = (NAMES[0], 0, 0)
    found = taken(container(pictures(NAMES) | {"labels.csv": csv_of(rows)}))
    assert NAMES[0] not in by_name(found.table)
    assert len(by_name(found.table)) == 7


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("classes.txt", b"cat\ndog\n"),
        ("classes.txt", b"0 cat\n1 dog\n"),
        ("class_names.json", b'{"0": "cat", "1": "dog"}'),
        ("class_to_idx.json", b'{"cat": 0, "dog": 1}'),
        ("labels.json", b'["cat", "dog"]'),
        ("data.yaml", b"nc: 2\nnames: [cat, dog]\n"),
    ],
)
def test_numbers_are_called_as_a_table_of_names_has_them(name, data, container, taken):
    rows = [("image", "label"), *[(a, int(b == "dog")) for a, b in PAIRS]]
    files = pictures(NAMES) | {"table.csv": csv_of(rows), name: data}
    found = taken(container(files))
    assert by_name(found.table) == RIGHT
    assert f"as {name} has them" in remarks(found)


def test_class_folders_that_are_numbers_have_names_as_well(container, taken):
    files = class_folders(["1", "2"]) | {"cat_to_name.json": b'{"1": "rose", "2": "fire lily"}'}
    assert labels_of(taken(container(files)).table) == {("rose", ""): 4, ("fire lily", ""): 4}


def test_a_list_that_may_begin_at_0_or_1_names_nothing(container, taken):
    rows = [("image", "label"), *[(a, 1 + int(b == "dog")) for a, b in PAIRS]]
    files = pictures(NAMES) | {"table.csv": csv_of(rows), "classes.txt": b"cat\ndog\nhen\n"}
    assert labels_of(taken(container(files)).table) == {("1", ""): 4, ("2", ""): 4}


def test_names_of_classes_may_be_named(container, taken, tmp_path):
    rows = [("image", "label"), *[(a, int(b == "dog")) for a, b in PAIRS]]
    files = pictures(NAMES) | {"table.csv": csv_of(rows)}
    (tmp_path / "mine.txt").write_text("cat\ndog\n")
    found = taken(container(files, class_names=str(tmp_path / "mine.txt")))
    assert by_name(found.table) == RIGHT
    (tmp_path / "mine.txt").write_text("cat\n")
    with pytest.raises(SourceError, match="does not name the classes '0', '1'"):
        taken(container(files, class_names=str(tmp_path / "mine.txt")))


def test_a_table_for_each_split_folder(container, taken):
    files = {}
    for split, number in (("train", 3), ("valid", 2), ("test", 1)):
        names = [f"{split}{i}_{c}.jpg" for i in range(number) for c in ("cat", "dog")]
        files |= pictures([f"{split}/{name}" for name in names])
        rows = [("filename", "cat", "dog")]
        rows += [(name, int("cat" in name), int("dog" in name)) for name in names]
        files[f"{split}/_classes.csv"] = csv_of(rows)
    found = taken(container(files))
    assert labels_of(found.table) == {
        (label, split): number
        for label in ("cat", "dog")
        for split, number in (("train", 3), ("validation", 2), ("test", 1))
    }


def test_tables_called_after_splits_give_them(container, taken):
    files = pictures(NAMES)
    files["train.csv"] = csv_of([("image", "label"), *PAIRS[:6]])
    files["test.csv"] = csv_of([("image", "label"), *PAIRS[6:]])
    found = taken(container(files))
    assert labels_of(found.table) == {
        ("cat", "train"): 3, ("dog", "train"): 3, ("cat", "test"): 1, ("dog", "test"): 1,
    }  # fmt: skip


def test_the_same_number_in_two_folders_needs_its_folder(container, taken):
    files = pictures(["a/1.jpg", "b/1.jpg", "a/2.jpg", "b/2.jpg"])
    rows = [("image", "label"), ("a/1.jpg", "x"), ("b/1.jpg", "y"), ("a/2.jpg", "y"),
            ("b/2.jpg", "x")]  # fmt: skip
    found = taken(container(files | {"t.csv": csv_of(rows)}, label_csv="t.csv"))
    assert by_name(found.table) == {
        "a/1.jpg": "x", "b/1.jpg": "y", "a/2.jpg": "y", "b/2.jpg": "x",
    }  # fmt: skip


def test_a_row_of_the_train_folder_means_no_picture_of_the_test_folder(container, taken):
    files = pictures([f"test/{i}.jpg" for i in range(4)])
    rows = [("image", "label"), *[(f"train/{i}.jpg", "cat") for i in range(4)]]
    with pytest.raises(SourceMissing, match="none of its columns names the pictures"):
        taken(container(files | {"t.csv": csv_of(rows)}, label_csv="t.csv"))


def test_folders_and_a_table_that_say_different_things_are_not_guessed(container, taken):
    files = class_folders(["north", "south"], 4)
    names = list(files)
    rows = [("image", "label"), *[(name, "ab"[i % 2]) for i, name in enumerate(names)]]
    with pytest.raises(SourceError, match=r"say different things: choose with --set source\.lab"):
        taken(container(files | {"t.csv": csv_of(rows)}))
    found = taken(container(files | {"t.csv": csv_of(rows)}, label_from="folder"))
    assert labels_of(found.table) == {("north", ""): 4, ("south", ""): 4}
    found = taken(container(files | {"t.csv": csv_of(rows)}, label_csv="t.csv"))
    assert labels_of(found.table) == {("a", ""): 4, ("b", ""): 4}


def test_a_table_that_says_the_same_as_the_folders_brings_its_splits(container, taken):
    files = class_folders(["cat", "dog"], 4)
    rows = [("image", "label", "split")]
    rows += [(n, n.split("/")[0], "test" if "3" in n else "train") for n in files]
    found = taken(container(files | {"t.csv": csv_of(rows)}))
    assert labels_of(found.table) == {
        (label, split): number
        for label in ("cat", "dog") for split, number in (("train", 3), ("test", 1))
    }  # fmt: skip


def test_kaggles_form_for_answers_is_no_table_of_labels(container, taken):
    files = pictures([f"train/{c}.{i}.jpg" for c in ("cat", "dog") for i in range(3)])
    files |= pictures([f"test1/{i}.jpg" for i in range(1, 4)])
    files["sampleSubmission.csv"] = csv_of([("id", "label"), (1, 0), (2, 0), (3, 0)])
    found = taken(container(files))
    assert labels_of(found.table) == {("cat", "train"): 3, ("dog", "train"): 3}


def test_no_table_that_fits_says_what_is_there(container, taken):
    rows = [("who", "what"), ("anna", "cat"), ("ben", "dog")]
    with pytest.raises(SourceMissing, match=r"'who' \('anna', 'ben'\).*source.label_csv"):
        taken(container(pictures(NAMES) | {"t.csv": csv_of(rows)}, label_from="csv"))


def test_a_label_that_is_a_path_is_a_label(container, taken):
    rows = [("image", "label"), *[(a, f"../../{b}") for a, b in PAIRS]]
    found = taken(container(pictures(NAMES) | {"t.csv": csv_of(rows)}))
    assert labels_of(found.table) == {("../../cat", ""): 4, ("../../dog", ""): 4}


def test_a_zip_with_a_table_and_pictures_is_read_once(tmp_path, taken, monkeypatch):
    import zipfile

    opened = []
    real = zipfile.ZipFile.open
    monkeypatch.setattr(
        zipfile.ZipFile, "open",
        lambda self, name, *rest, **more: (opened.append(name), real(self, name, *rest, **more))[1],
    )  # fmt: skip
    data = zip_bytes(pictures(NAMES) | {"labels.csv": csv_of([("image", "label"), *PAIRS])})
    opened.clear()
    (tmp_path / "set.zip").write_bytes(data)
    taken(Archive(archive=tmp_path / "set.zip"))
    assert len(opened) == len(NAMES) + 1


def test_an_empty_table_is_told(tmp_path, taken):
    folder = written(tmp_path / "set", pictures(NAMES) | {"t.csv": b""})
    with pytest.raises(SourceMissing, match="it has no rows"):
        taken(Folders(folder=folder, label_csv="t.csv"))


def test_a_table_without_labels_brings_groups_and_splits_to_class_folders(container, taken):
    files = class_folders(["cat", "dog"], 4)
    rows = [("file", "patient", "set")]
    rows += [(n, f"p{i % 3}", "test" if i % 4 == 3 else "train") for i, n in enumerate(files)]
    found = taken(container(files | {"t.csv": csv_of(rows)}, group_column="patient"))
    assert labels_of(found.table) == {
        (label, split): number
        for label in ("cat", "dog") for split, number in (("train", 3), ("test", 1))
    }  # fmt: skip
    kept = found.table[found.table["status"] == "kept"]
    assert set(kept["known_group"]) == {"p0", "p1", "p2"}


def test_a_long_table_of_more_pictures_than_there_are_is_read_whole(tmp_path, taken):
    names = [f"{i * 977:06}.jpg" for i in range(20)]
    rows = [("image", "label"), *[(f"{i:06}.jpg", ANIMALS[i % 2]) for i in range(20_000)]]
    folder = written(tmp_path / "set", pictures(names) | {"labels.csv": csv_of(rows)})
    found = taken(Folders(folder=folder))
    assert by_name(found.table) == {n: ANIMALS[int(n[:6]) % 2] for n in names}
    assert "19,980 rows of labels.csv name no picture" in remarks(found)


def test_a_table_of_few_of_the_pictures_is_told(container, taken):
    rows = [("image", "label"), *PAIRS[:2]]
    found = taken(container(pictures(NAMES) | {"labels.csv": csv_of(rows)}))
    assert labels_of(found.table) == {}
    assert "labels.csv names few of the pictures: source.label_csv=labels.csv" in remarks(found)
    found = taken(container(pictures(NAMES) | {"labels.csv": csv_of(rows)}, label_csv="labels.csv"))
    assert by_name(found.table) == dict(PAIRS[:2])
