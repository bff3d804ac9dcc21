"""Names that tell what a file is, before it is opened."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.statuses import IGNORED, REJECTED, Status
from tasks.acquire.files import (
    PICTURE_SUFFIXES,
    TO_BE_CONVERTED,
    Found,
    bytes_decide,
    is_unsafe,
    unwanted,
)


@pytest.mark.parametrize("suffix", sorted(PICTURE_SUFFIXES))
def test_every_picture_suffix_is_wanted_in_any_case(suffix):
    assert unwanted(f"train/cat.0{suffix}") is None
    assert unwanted(f"train/cat.0{suffix.upper()}") is None


@pytest.mark.parametrize("suffix", sorted(TO_BE_CONVERTED))
def test_a_format_that_holds_no_picture_to_learn_from_is_turned_down_with_advice(suffix):
    found = unwanted(f"train/IMG_1{suffix.upper()}")
    assert found.status is Status.UNDECODABLE
    assert "save" in found.reason or "convert it to PNG" in found.reason


@pytest.mark.parametrize("name", ["a.txt", "a.jpg.txt", "a.TAR", "x/labels.csv"])
def test_other_suffixes_are_no_pictures(name):
    assert unwanted(name).status is Status.NOT_A_PICTURE


@pytest.mark.parametrize("name", ["a", "jpg", "a.jpg/readme", "a.jpg_large", "1.0"])
def test_of_other_names_the_bytes_decide(name):
    assert unwanted(name) is None
    assert bytes_decide(name)


@pytest.mark.parametrize(
    "name",
    [
        "__MACOSX/a.jpg",
        "a/__MACOSX/b.jpg",
        "a/.DS_Store",
        "Thumbs.db",
        "a/desktop.ini",
        "._a.jpg",
        "a\\._b.jpg",
        ".jpg",
        ".thumbnails/a.jpg",
        "a/@eaDir/b.jpg",
    ],
)
def test_files_of_operating_systems_are_told_apart(name):
    assert unwanted(name).status is Status.SYSTEM_FILE


@given(parts=st.lists(st.sampled_from(["a", "b c", "é", "...", "xx:y", ".a"]), min_size=1))
def test_ordinary_names_are_safe(parts):
    assert not is_unsafe("/".join(parts))


@given(
    parts=st.lists(st.sampled_from(["a", "b c", ".", "é"])),
    place=st.integers(0, 5),
    separator=st.sampled_from(["/", "\\"]),
)
def test_a_step_up_anywhere_is_unsafe(parts, place, separator):
    parts.insert(place, "..")
    assert is_unsafe(separator.join(parts))


@pytest.mark.parametrize("name", ["/a", "\\a", "//a/b", "C:\\a", "c:a", "Z:/a"])
def test_absolute_names_are_unsafe(name):
    assert is_unsafe(name)


def test_a_status_is_kept_or_ignored_or_rejected():
    assert {Status.KEPT} | IGNORED | REJECTED == set(Status)
    assert not IGNORED & REJECTED


def test_what_is_found_is_kept_unless_said_otherwise():
    assert Found("a.jpg", b"x").status is Status.KEPT
