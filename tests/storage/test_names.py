"""Names from strangers: fit for any file system, and sorted as people count."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.names import LONGEST, TURNING, UNFIT, as_file_name, visible
from tasks.acquire.natural_order import natural_key
from tests.project import examples

hostile = st.text(st.sampled_from('./\\ :*?"<>|\x00\n\x7fa1é…'), max_size=30) | st.text(
    max_size=400
)


@examples(300)
@given(text=hostile)
def test_a_file_name_is_one_harmless_component(text):
    name = as_file_name(text)
    assert 0 < len(name.encode()) <= LONGEST
    assert not UNFIT.search(name)
    assert name[0] != "."
    assert name[-1] not in ". "


@examples(50)
@given(text=hostile)
def test_a_file_name_can_really_be_used(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("names")
    (folder / as_file_name(text)).touch()
    assert [path.parent for path in folder.rglob("*")] == [folder]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("cat.0", "cat.0"),
        ("two words", "two words"),
        ("Ünïcödé 猫", "Ünïcödé 猫"),
        ("<script>alert(1)</script>", "_script_alert(1)__script_"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\pictures\\cat", "C__pictures_cat"),
        ("..", "_"),
        ("", "_"),
        (" .hidden. ", "hidden"),
    ],
)
def test_examples_of_file_names(text, name):
    assert as_file_name(text) == name


def test_names_that_look_the_same_are_the_same():
    assert as_file_name(unicodedata.normalize("NFD", "café")) == as_file_name("café")


def test_a_very_long_name_keeps_both_ends():
    name = as_file_name("start-" + "猫" * 5000 + "-end")
    assert name.startswith("start-")
    assert name.endswith("-end")
    assert "…" in name


def test_numbers_in_names_sort_as_numbers():
    names = ["cat.10.jpg", "cat.2.jpg", "cat.1.jpg", "dog.1.jpg"]
    assert sorted(names, key=natural_key) == ["cat.1.jpg", "cat.2.jpg", "cat.10.jpg", "dog.1.jpg"]


@given(numbers=st.lists(st.integers(min_value=0), unique=True))
def test_natural_order_is_the_order_of_the_numbers(numbers):
    names = [f"cat.{number}.jpg" for number in numbers]
    assert sorted(names, key=natural_key) == [f"cat.{number}.jpg" for number in sorted(numbers)]


@given(texts=st.lists(st.text(st.sampled_from("ab01²٣.")), max_size=20))
def test_any_names_can_be_sorted_and_the_order_is_total(texts):
    def key(text):
        return natural_key(text), text

    backwards = texts[::-1]
    assert sorted(backwards, key=key) == sorted(texts, key=key)


def test_leading_zeros_do_not_count():
    assert natural_key("cat.007.jpg") == natural_key("cat.7.jpg")
    assert natural_key("cat.000") == natural_key("cat.0")


def test_a_name_of_thousands_of_digits_sorts_like_any_other():
    # Python refuses to turn more than 4,300 digits into a number.
    long = "1" + "0" * 10_000
    assert sorted([long, "9", "10"], key=natural_key) == ["9", "10", long]


@given(st.text())
def test_what_is_visible_turns_nothing_around_and_loses_nothing(text):
    shown = visible(text)
    assert not TURNING.search(shown)
    if "\\" not in text:
        assert re.sub(r"\\u([0-9a-f]{4})", lambda hit: chr(int(hit[1], 16)), shown) == text


def test_marks_are_shown_by_their_codes():
    assert visible("a\u202eb\x1b[2J\nc\td") == "a\\u202eb\\u001b[2J\nc\td"
