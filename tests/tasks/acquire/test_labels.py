"""Labels: from names, from folders, from tables; never one that nobody wrote."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import SourceDamaged, SourceMissing, SourceTooLarge
from tasks.acquire import labels
from tasks.acquire.labels import LONGEST_LABEL, by_first_folder, of_archive, trimmed
from tasks.acquire.parameters import Archive
from tests.tasks.acquire.conftest import encrypted, tar_bytes, zip_bytes


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("cat.0.jpg", "cat"),
        ("train/dog.12499.jpg", "dog"),
        ("two words.7.png", "two words"),
        ("Ünïcödé 猫.1.jpg", "Ünïcödé 猫"),
        ("<script>alert(1)<.0.jpg", "<script>alert(1)<"),
        (" cat .3.jpg", "cat"),
        ("cat.jpg", ""),
        ("1.jpg", ""),
        ("cat.x.jpg", ""),
        ("sampleSubmission.csv", ""),
        (".0.jpg", ""),
        ("   .0.jpg", ""),
        ("", ""),
    ],
)
def test_kaggles_names_are_the_default(name, label, tmp_path):
    assert of_archive(Archive(archive=tmp_path))(name) == label


def test_any_pattern_with_a_label_will_do(tmp_path):
    source = Archive(archive=tmp_path, label_pattern=r"_(?P<label>[a-z]+)[.]")
    assert of_archive(source)("0001_ant.jpg") == "ant"
    assert of_archive(source)("0001-ant.jpg") == ""


def test_a_label_that_may_be_absent_is_no_label():
    assert labels.by_name(r"(?P<label>cat)?[.]jpg")("dog.jpg") == ""


def test_a_very_long_name_gives_a_short_label(tmp_path):
    label = of_archive(Archive(archive=tmp_path))("x" * 900 + ".0.jpg")
    assert label == "x" * LONGEST_LABEL


def test_a_hostile_name_does_not_keep_a_greedy_pattern_busy():
    assert labels.by_name(r"(?P<label>a+)\d*\d*[.]jpg")("a" + "1" * 60_000) == ""


@given(name=st.text(), pattern=st.sampled_from([r"(?P<label>.+)", r"^(?P<label>[^.]*)"]))
def test_labels_are_trimmed_and_bounded(name, pattern):
    source = Archive(archive="x.zip", label_pattern=pattern)
    label = of_archive(source)(name)
    assert label == label.lstrip()
    assert len(label) <= LONGEST_LABEL


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("train/cat/1.jpg", "cat"),
        ("cat/1.jpg", "cat"),
        ("./cat/1.jpg", "cat"),
        ("two words/1.jpg", "two words"),
        ("1.jpg", ""),
    ],
)
def test_the_folder_that_holds_a_file_is_its_label(name, label, tmp_path):
    assert of_archive(Archive(archive=tmp_path, label_from="folder"))(name) == label


@pytest.mark.parametrize(
    ("name", "label"), [("cat/1.jpg", "cat"), ("cat/kittens/1.jpg", "cat"), ("1.jpg", "")]
)
def test_of_class_folders_the_topmost_counts(name, label, tmp_path):
    assert trimmed(by_first_folder)(name) == label


def test_digits_are_named_as_kaggle_does(tmp_path):
    assert of_archive(Archive(archive=tmp_path))("digits/3.17.png") == "3"


@pytest.fixture
def labelled(tmp_path):
    """A labeller that reads these bytes as a CSV on disk."""

    def read(data):
        (tmp_path / "labels.csv").write_bytes(data)
        (tmp_path / "pictures.zip").write_bytes(zip_bytes({}))
        return of_archive(
            Archive(
                archive=tmp_path / "pictures.zip",
                label_from="csv",
                label_csv=str(tmp_path / "labels.csv"),
            )
        )

    return read


TABLE = b"id,label,score\na.jpg,cat,1\nb,dog,2\n"


@pytest.mark.parametrize(
    ("name", "label"), [("train/a.jpg", "cat"), ("b.png", "dog"), ("c.jpg", "")]
)
def test_a_table_names_pictures_with_or_without_suffix(labelled, name, label):
    assert labelled(TABLE)(name) == label


def test_a_byte_order_mark_is_no_part_of_a_name(labelled):
    assert labelled(codecs.BOM_UTF8 + TABLE)("a.jpg") == "cat"


def test_quotes_commas_and_line_ends_are_those_of_csv(labelled):
    label = labelled(b'id,label\r\n"a.jpg","cat, large"\r\nb.jpg, dog \r\n\r\n')
    assert [label("a.jpg"), label("b.jpg")] == ["cat, large", "dog"]


def test_odd_labels_of_a_table_come_back(labelled):
    label = labelled("id,label\na,Ünïcödé 猫\nb,<script>\n".encode())
    assert [label("a.jpg"), label("b.jpg")] == ["Ünïcödé 猫", "<script>"]


def test_a_table_that_is_not_utf8_still_gives_the_other_labels(labelled):
    label = labelled(b"id,label\na,caf\xe9\nb,dog\n")
    assert [label("a.jpg"), label("b.jpg")] == ["caf\N{REPLACEMENT CHARACTER}", "dog"]


@pytest.mark.parametrize(
    "data", [b"", b"id,label\n", b"a\nb\nc\n", b"\n\n\n", b"id;label\na;cat\n"]
)
def test_a_table_without_two_columns_is_an_error_that_says_so(labelled, data):
    with pytest.raises(
        SourceDamaged, match=r"labels\.csv: expected a header and rows of name,label"
    ):
        labelled(data)


def test_a_table_with_an_endless_field_is_an_error(labelled):
    with pytest.raises(SourceDamaged, match="not a CSV file"):
        labelled(b'id,label\na,"' + b"x" * 200_000)


def test_a_short_row_leaves_only_its_picture_unlabelled(labelled):
    label = labelled(b"id,label\na\nb,dog\nc,\n")
    assert [label("a.jpg"), label("b.jpg"), label("c.jpg")] == ["", "dog", ""]


def test_one_name_in_two_folders_is_told_apart_by_the_path(labelled):
    label = labelled(b"path,label\none/1.jpg,cat\ntwo/1.jpg,dog\n")
    assert [label("one/1.jpg"), label("two/1.jpg")] == ["cat", "dog"]


def test_a_name_with_two_labels_has_none(labelled):
    label = labelled(b"path,label\none/1.jpg,cat\ntwo/1.jpg,dog\none/2.jpg,cat\ntwo/2.jpg,cat\n")
    assert [label("elsewhere/1.jpg"), label("elsewhere/2.jpg")] == ["", "cat"]
    assert labelled(b"id,label\na,cat\na,dog\na,cat\n")("a.jpg") == ""


@pytest.mark.parametrize("pack", [zip_bytes, tar_bytes])
def test_a_table_may_be_in_the_archive(tmp_path, pack):
    path = tmp_path / "pictures.zip"
    path.write_bytes(pack({"labels.csv": codecs.BOM_UTF8 + TABLE, "deep/more.csv": TABLE}))
    for name in ("labels.csv", "deep/more.csv"):
        source = Archive(archive=path, label_from="csv", label_csv=name)
        assert of_archive(source)("a.jpg") == "cat"


def test_a_table_may_be_in_a_zip_inside_the_archive(tmp_path):
    path = tmp_path / "pictures.zip"
    inner = {
        "train.zip": zip_bytes({}),
        "broken.zip": b"none",
        "l.zip": zip_bytes({"l.csv": TABLE}),
    }
    path.write_bytes(zip_bytes(inner))
    source = Archive(archive=path, label_from="csv", label_csv="l.csv")
    assert of_archive(source)("train/a.jpg") == "cat"


@pytest.mark.parametrize("place", ["on disk", "in the archive"])
def test_a_table_of_endless_length_is_refused_and_not_read(tmp_path, place, monkeypatch):
    monkeypatch.setattr(labels, "CSV_BYTES", 1000)
    name = str(tmp_path / "labels.csv") if place == "on disk" else "labels.csv"
    with (tmp_path / "labels.csv").open("wb") as file:
        file.truncate(2**40)
    path = tmp_path / "pictures.zip"
    path.write_bytes(zip_bytes({"labels.csv": TABLE * 100}))
    with pytest.raises(SourceTooLarge, match=r"labels\.csv has more than 1,000 bytes"):
        of_archive(Archive(archive=path, label_from="csv", label_csv=name))


@pytest.mark.parametrize(
    "data",
    [zip_bytes({}), encrypted(zip_bytes({"labels.csv": TABLE})), b"no zip", None],
    ids=["absent", "encrypted", "no zip", "no archive"],
)
def test_a_table_that_cannot_be_found_is_an_error_that_names_both_places(tmp_path, data):
    path = tmp_path / "pictures.zip"
    if data is not None:
        path.write_bytes(data)
    source = Archive(archive=path, label_from="csv", label_csv="labels.csv")
    with pytest.raises(SourceMissing, match=r"labels\.csv, on disk or .*pictures\.zip"):
        of_archive(source)


def test_labels_from_a_table_need_its_name(tmp_path):
    with pytest.raises(SourceMissing, match=r"source\.label_csv"):
        of_archive(Archive(archive=tmp_path / "pictures.zip", label_from="csv"))
