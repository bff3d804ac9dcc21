"""Zips: whatever is in them, each file is a row, or the whole is a clear error."""

import stat
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import SourceDamaged, SourceError, SourceMissing, SourceTooLarge, StorageFull
from storage.statuses import IGNORED, REJECTED, Status
from tasks.acquire.archives import budget as budgets
from tasks.acquire.archives import reading, zips
from tests.pictures import picture
from tests.project import examples
from tests.tasks.acquire.conftest import (
    MEBIBYTE,
    contents,
    encrypted,
    statuses,
    tar_bytes,
    with_compression,
    with_declared_size,
    zip_bytes,
)

CAT, DOG = picture(1), picture(2)


def test_pictures_come_back_under_their_names(found):
    rows = found(zip_bytes({"train/cat.0.jpg": CAT, "train/dog.0.jpg": DOG}))
    assert contents(rows) == {"train/cat.0.jpg": CAT, "train/dog.0.jpg": DOG}
    assert {row.status for row in rows} == {Status.KEPT}


@examples(60)
@given(
    files=st.dictionaries(
        st.text(st.sampled_from("ab 猫é<>"), min_size=1).map(lambda name: name + ".png"),
        st.binary(max_size=100),
        max_size=5,
    ),
    compression=st.sampled_from(
        [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
    ),
)
def test_whatever_is_packed_is_found(tmp_path_factory, files, compression):
    path = tmp_path_factory.mktemp("zip") / "pictures.zip"
    path.write_bytes(zip_bytes(files, compression))
    rows = reading.files_of(path, max_total_bytes=MEBIBYTE, max_file_bytes=MEBIBYTE)
    assert contents(rows) == files


def test_folders_are_no_files(found):
    assert statuses(found(zip_bytes({"train/": b"", "train/a.jpg": CAT}))) == {
        "train/a.jpg": "kept"
    }


def test_a_missing_archive_names_the_remedy(tmp_path):
    with pytest.raises(
        SourceMissing, match=r"none\.zip.*put the zip or tar there.*source\.archive"
    ):
        list(reading.files_of(tmp_path / "none.zip", max_total_bytes=1, max_file_bytes=1))


def test_a_folder_is_no_archive(tmp_path):
    with pytest.raises(SourceMissing, match="expected an archive"):
        list(reading.files_of(tmp_path, max_total_bytes=1, max_file_bytes=1))


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"<!DOCTYPE html>" * 100, b"PK", b"\x00" * 100, CAT]
)
def test_what_is_no_archive_is_an_error_that_says_so(found, data):
    with pytest.raises(
        SourceDamaged,
        match=r"^pictures\.zip is not a whole zip or tar .*Fetch .*pictures\.zip again$",
    ):
        found(data)


@examples(60)
@given(keep=st.floats(0, 1, exclude_max=True))
def test_a_truncated_zip_is_damaged_wherever_it_ends(tmp_path_factory, keep):
    data = zip_bytes({"cat.0.jpg": CAT, "dog.0.jpg": DOG})
    path = tmp_path_factory.mktemp("zip") / "cut.zip"
    path.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(SourceDamaged):
        list(reading.files_of(path, max_total_bytes=MEBIBYTE, max_file_bytes=MEBIBYTE))


def test_an_encrypted_entry_is_a_row(found):
    rows = found(encrypted(zip_bytes({"cat.0.jpg": CAT})))
    assert statuses(rows) == {"cat.0.jpg": "encrypted"}
    assert "password" in rows[0].reason


def test_an_encrypted_zip_in_a_zip_is_a_row(found):
    assert statuses(found(encrypted(zip_bytes({"train.zip": CAT})))) == {"train.zip": "encrypted"}


@pytest.mark.parametrize(
    "name",
    [
        "../cat.0.jpg",
        "train/../../cat.0.jpg",
        "/etc/cat.0.jpg",
        "//host/share/cat.0.jpg",
        "C:/cat.0.jpg",
        "c:cat.0.jpg",
        "C:\\cat.0.jpg",
        "..\\cat.0.jpg",
        "train\\..\\..\\cat.0.jpg",
        "\\\\host\\share\\cat.0.jpg",
        "../train.zip",
    ],
)
def test_a_name_that_leads_out_is_set_aside(found, name):
    rows = found(zip_bytes({name: CAT, "dog.0.jpg": DOG}))
    assert [str(row.status) for row in rows] == ["unsafe name", "kept"]
    assert "out of its folder" in rows[0].reason


@pytest.mark.parametrize("name", ["a..b/cat.0.jpg", "...jpg", "x/C:.jpg", "train/cat..jpg"])
def test_dots_and_colons_inside_a_name_are_harmless(found, name):
    assert statuses(found(zip_bytes({name: CAT}))) == {name: "kept"}


def test_backslashes_separate_folders_as_on_windows(found):
    assert contents(found(zip_bytes({"train\\cat.0.jpg": CAT}))) == {"train/cat.0.jpg": CAT}


def test_a_link_is_set_aside(found):
    link = zipfile.ZipInfo("cat.0.jpg")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    rows = found(zip_bytes([(link, "/etc/passwd"), ("dog.0.jpg", DOG)]))
    assert statuses(rows) == {"cat.0.jpg": "unsafe name", "dog.0.jpg": "kept"}


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_two_entries_of_one_name_the_second_is_a_row(found):
    rows = found(zip_bytes([("cat.0.jpg", CAT), ("cat.0.jpg", DOG)]))
    assert [(str(row.status), row.data) for row in rows] == [
        ("kept", CAT),
        ("duplicate name", None),
    ]


def test_the_same_name_in_two_inner_zips_is_two_pictures(found):
    inner = {"cats.zip": zip_bytes({"1.jpg": CAT}), "dogs.zip": zip_bytes({"1.jpg": DOG})}
    rows = found(zip_bytes(inner))
    assert [row.data for row in rows] == [CAT, DOG]


def test_files_of_the_operating_system_are_told_apart(found):
    rows = found(
        zip_bytes(
            {
                "__MACOSX/train/._cat.0.jpg": b"x",
                "train/.DS_Store": b"x",
                "train/Thumbs.db": b"x",
                "train/._cat.0.jpg": b"x",
                "train/cat.0.jpg": CAT,
            }
        )
    )
    assert contents(rows) == {"train/cat.0.jpg": CAT}
    assert {row.status for row in rows if row.data is None} == {Status.SYSTEM_FILE}


def test_what_macos_leaves_beside_an_inner_zip_is_no_zip(found):
    rows = found(zip_bytes({"train.zip": zip_bytes({"a.jpg": CAT}), "__MACOSX/._train.zip": b"x"}))
    assert statuses(rows) == {"a.jpg": "kept", "__MACOSX/._train.zip": "system file"}


def test_a_zip_without_pictures_is_rows_without_pictures(found):
    rows = found(zip_bytes({"readme.txt": b"hello", "labels.csv": b"a,b"}))
    assert statuses(rows) == {"readme.txt": "not a picture", "labels.csv": "not a picture"}


def test_an_empty_zip_is_no_rows(found):
    assert found(zip_bytes({})) == []


def test_what_is_not_kept_has_a_reason_and_no_bytes(found):
    rows = found(zip_bytes({"../a.jpg": CAT, "b.txt": b"", ".DS_Store": b"", "c.jpg": CAT}))
    assert len(rows) == 4
    for row in rows:
        assert (row.data is None) == bool(row.reason) == (row.status in IGNORED | REJECTED)


def test_a_damaged_entry_is_a_row_and_the_others_are_whole(found):
    data = bytearray(zip_bytes({"cat.0.jpg": CAT, "dog.0.jpg": DOG}, zipfile.ZIP_STORED))
    data[data.index(CAT) + 100] ^= 1
    rows = found(bytes(data))
    assert statuses(rows) == {"cat.0.jpg": "damaged in its archive", "dog.0.jpg": "kept"}
    assert "CRC" in rows[0].reason


@pytest.mark.parametrize("method", [1, 6, 97, 99])
def test_an_unknown_compression_is_a_row(found, method):
    rows = found(with_compression(zip_bytes({"cat.0.jpg": CAT}), method))
    assert statuses(rows) == {"cat.0.jpg": "damaged in its archive"}
    assert rows[0].reason


@pytest.mark.parametrize("method", [8, 12, 14])
def test_a_wrong_compression_is_a_row(found, method):
    rows = found(with_compression(zip_bytes({"cat.0.jpg": CAT}, zipfile.ZIP_STORED), method))
    assert statuses(rows) == {"cat.0.jpg": "damaged in its archive"}


def test_a_picture_declared_too_large_is_a_row_and_is_not_unpacked(found):
    rows = found(zip_bytes({"bomb.jpg": b"\x00" * 5 * MEBIBYTE, "cat.jpg": CAT}), total=MEBIBYTE)
    assert statuses(rows) == {"bomb.jpg": "too many bytes", "cat.jpg": "kept"}
    assert "source.max_file_bytes (1,048,576)" in rows[0].reason


def test_a_picture_of_exactly_the_limit_is_kept(found):
    rows = found(zip_bytes({"a.jpg": b"x" * 100, "b.jpg": b"x" * 101}), per_file=100)
    assert statuses(rows) == {"a.jpg": "kept", "b.jpg": "too many bytes"}


def test_a_lying_header_unpacks_no_more_than_it_says(found):
    bomb = with_declared_size(zip_bytes({"bomb.jpg": b"\x00" * 5 * MEBIBYTE}), 10)
    assert statuses(found(bomb, total=MEBIBYTE)) == {"bomb.jpg": "damaged in its archive"}


def test_more_than_the_total_is_a_bomb(found):
    files = {f"{number}.jpg": b"\x00" * 1000 for number in range(11)}
    with pytest.raises(SourceTooLarge, match=r"more than 10,000 bytes.*source\.max_total_bytes"):
        found(zip_bytes(files), total=10_000)
    assert len(found(zip_bytes(files), total=11_000)) == 11


def test_a_bomb_of_nested_zips_stops_at_the_total(found):
    layer = zip_bytes({"bomb.jpg": b"\x00" * MEBIBYTE})
    middle = zip_bytes([(f"{number}.zip", layer) for number in range(16)])
    with pytest.raises(SourceTooLarge):
        found(zip_bytes([(f"{number}.zip", middle) for number in range(16)]), total=4 * MEBIBYTE)


def test_a_huge_inner_zip_stops_at_the_total(found):
    with pytest.raises(SourceTooLarge):
        found(zip_bytes({"inner.zip": b"\x00" * 8 * MEBIBYTE}), total=4 * MEBIBYTE)


def test_zips_in_zips_are_read(found):
    inner = zip_bytes({"train/cat.0.jpg": CAT})
    assert contents(found(zip_bytes({"train.zip": inner}))) == {"train/cat.0.jpg": CAT}
    twice = zip_bytes({"a.ZIP": zip_bytes({"b.zip": inner})})
    assert contents(found(twice)) == {"train/cat.0.jpg": CAT}


def test_zips_nested_too_deep_are_rows(found):
    data = zip_bytes({"cat.0.jpg": CAT})
    for depth in range(zips.DEEPEST):
        data = zip_bytes({f"{depth}.zip": data})
    rows = found(data)
    assert len(rows) == 1
    assert rows[0].status in IGNORED | REJECTED


def test_the_limit_per_file_holds_inside_inner_zips(found):
    inner = zip_bytes({"a.jpg": b"x" * 2000})
    assert statuses(found(zip_bytes({"a.zip": inner}), per_file=1000)) == {
        "a.jpg": "too many bytes"
    }


@pytest.mark.parametrize("data", [b"no zip", zip_bytes({"cat.0.jpg": CAT})[:-30], b""])
def test_a_damaged_inner_zip_is_an_error_that_names_it(found, data):
    with pytest.raises(SourceDamaged, match=r"train\.zip"):
        found(zip_bytes({"train.zip": data}))


def test_an_inner_zip_with_a_wrong_checksum_is_an_error_that_names_it(found):
    data = bytearray(zip_bytes({"train.zip": zip_bytes({"cat.0.jpg": CAT}, 0)}, zipfile.ZIP_STORED))
    data[data.index(CAT)] ^= 1
    with pytest.raises(SourceDamaged, match=r"train\.zip in .*pictures\.zip is damaged"):
        found(bytes(data))


def test_no_room_to_unpack_an_inner_zip_is_storage_full(found, monkeypatch):
    full = Path("/dev/full")
    monkeypatch.setattr(budgets.tempfile, "TemporaryFile", lambda: full.open("r+b"))
    with pytest.raises(StorageFull):
        found(zip_bytes({"train.zip": zip_bytes({"cat.0.jpg": CAT})}))


def test_a_tar_named_zip_is_a_tar(found):
    assert contents(found(tar_bytes({"cat.0.jpg": CAT}))) == {"cat.0.jpg": CAT}


def test_bytes_before_a_zip_do_no_harm(found):
    assert contents(found(b"#!/bin/sh\n" * 100 + zip_bytes({"a.jpg": CAT}))) == {"a.jpg": CAT}


def test_odd_names_come_back_as_they_are(found):
    names = [
        "two words.jpg",
        "Ünïcödé 猫.jpg",
        "<script>alert(1)</script>.jpg",
        "x" * 5000 + ".jpg",
    ]
    assert list(contents(found(zip_bytes(dict.fromkeys(names, CAT))))) == names


def test_a_zip_cut_off_while_it_is_read_gives_rows_not_a_crash(tmp_path):
    path = tmp_path / "pictures.zip"
    path.write_bytes(zip_bytes({f"{number}.jpg": picture(number) for number in range(30)}))
    rows = reading.files_of(path, max_total_bytes=MEBIBYTE, max_file_bytes=MEBIBYTE)
    assert next(rows).data == picture(0)
    path.write_bytes(b"")
    assert {row.status for row in list(rows)[-20:]} == {Status.DAMAGED}


def test_only_one_picture_is_in_memory_at_a_time(tmp_path, monkeypatch):
    path = tmp_path / "pictures.zip"
    path.write_bytes(zip_bytes({"1.jpg": CAT, "2.jpg": DOG}))
    spent = []
    read = budgets.Budget.read

    def noted(budget, stream, name):
        spent.append(1)
        return read(budget, stream, name)

    monkeypatch.setattr(budgets.Budget, "read", noted)
    rows = reading.files_of(path, max_total_bytes=MEBIBYTE, max_file_bytes=MEBIBYTE)
    next(rows)
    assert len(spent) == 1


NESTED = zip_bytes(
    {
        "cat.0.jpg": CAT[:200],
        "train.zip": zip_bytes({"dog.0.jpg": DOG[:200], "notes.txt": b"x"}),
        "b.jpg": b"x" * 50,
    }
)
PICTURES = {CAT[:200], DOG[:200], b"x" * 50}


@examples(400)
@given(place=st.integers(0, len(NESTED) - 1), flip=st.integers(1, 255))
def test_no_flipped_byte_crashes_or_alters_a_picture(tmp_path_factory, place, flip):
    data = bytearray(NESTED)
    data[place] ^= flip
    path = tmp_path_factory.mktemp("fuzz") / "pictures.zip"
    path.write_bytes(data)
    try:
        rows = list(reading.files_of(path, max_total_bytes=MEBIBYTE, max_file_bytes=MEBIBYTE))
    except SourceError:
        return
    assert set(contents(rows).values()) <= PICTURES
