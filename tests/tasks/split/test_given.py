"""Splits that a source gives: taken as they are, and what crosses them counted."""

import pandas as pd
import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from storage.errors import EmptySplit
from tasks.split import given
from tasks.split.parameters import Split
from tests.tasks.split.tables import table


def rows(*given_rows):
    """Rows of (label, split, copies), each a picture of its own; '' is a group of its own."""
    found = table(
        [(f"{i}", label, copies or f"{i}") for i, (label, _, copies) in enumerate(given_rows)]
    )
    return found.assign(split=[split for _, split, _ in given_rows])


def some(label, split, number, copies=""):
    return [(label, split, copies)] * number


WHOLE = [
    *some("cat", "train", 6), *some("dog", "train", 5), *some("cat", "validation", 2),
    *some("dog", "validation", 2), *some("cat", "test", 3), *some("dog", "test", 3),
]  # fmt: skip


def test_a_whole_split_is_taken_to_the_letter():
    images = rows(*WHOLE)
    places, remarks = given.assign(images, Split(rule="given"), {})
    assert places.equals(images["split"])
    assert remarks == []


def test_copies_are_left_out_of_what_is_tested_less():
    images = rows(
        *WHOLE,
        ("cat", "train", "a"), ("cat", "test", "a"), ("dog", "train", "b"),
        ("dog", "validation", "b"), ("dog", "validation", "c"), ("dog", "test", "c"),
        ("cat", "train", "d"), ("cat", "train", "d"),
    )  # fmt: skip
    places, remarks = given.assign(images, Split(rule="given"), {})
    assert places.tolist()[-8:] == ["", "test", "", "validation", "", "test", "train", "train"]
    assert remarks == [
        (
            "3 groups of copies cross the given splits: 2 of train and 1 of validation are "
            "left out (split.copies=keep keeps them)"
        )
    ]


def test_copies_are_kept_if_asked_and_counted_all_the_same():
    images = rows(*WHOLE, ("cat", "train", "a"), ("cat", "test", "a"))
    places, remarks = given.assign(images, Split(rule="given", copies="keep"), {})
    assert places.equals(images["split"])
    assert remarks == [
        (
            "1 groups of copies cross the given splits: 1 of train were kept, as "
            "split.copies=keep says: the figures flatter"
        )
    ]


def test_known_groups_that_cross_are_counted():
    images = rows(*WHOLE).assign(known_group=["p1", *[""] * 16, "p1", *["p2"] * 3][: len(WHOLE)])
    _, remarks = given.assign(images, Split(rule="given"), {})
    assert remarks == ["1 of 2 known groups are in more than one given split: the figures flatter"]


def test_validation_that_is_missing_is_taken_from_train_and_stays():
    images = rows(*some("cat", "train", 20), *some("dog", "train", 20), *some("cat", "test", 4))
    places, remarks = given.assign(images, Split(rule="given"), {})
    counts = pd.crosstab(images["label"], places)
    assert counts.loc["cat"].to_dict() == {"test": 4, "train": 18, "validation": 2}
    assert counts.loc["dog", "validation"] == 2
    assert remarks == ["no validation is given: 4 pictures of train are it"]
    earlier = dict(zip(images["image"], places, strict=True))
    more = pd.concat(
        [images, rows(*some("dog", "train", 10)).assign(image=lambda t: "n" + t["image"])]
    )
    more = more.reset_index(drop=True).assign(
        group=lambda t: t["image"], copies=lambda t: t["image"]
    )
    again, _ = given.assign(more, Split(rule="given"), earlier)
    assert again[: len(images)].tolist() == places.tolist()


def test_a_class_of_one_picture_stays_in_train():
    images = rows(*some("cat", "train", 10), *some("dog", "train", 1), *some("cat", "test", 2))
    places, _ = given.assign(images, Split(rule="given"), {})
    assert places[images["label"] == "dog"].tolist() == ["train"]


def test_a_test_that_is_missing_is_told():
    images = rows(*some("cat", "train", 9), *some("cat", "validation", 2))
    _, remarks = given.assign(images, Split(rule="given"), {})
    assert remarks == ["no test is given: the report's figures are those of validation"]


def test_pictures_in_no_split_are_left_out_and_told():
    images = rows(*WHOLE, *some("cat", "", 3))
    places, remarks = given.assign(images, Split(rule="given"), {})
    assert (places == "").sum() == 3
    assert remarks == ["3 pictures with a label are in none of the given splits"]


def test_lists_of_two_splits_leave_nothing_out():
    images = rows(*some("cat", "train", 9), *some("cat", "test", 3), *some("cat", "validation", 2))
    lists = {"test": "t.txt", "validation": "v.txt"}
    places, remarks = given.assign(images, Split(lists=lists), {})
    assert places.value_counts().to_dict() == {"train": 9, "test": 3, "validation": 2}
    assert remarks == []


def test_nothing_for_train_is_an_error():
    with pytest.raises(EmptySplit, match=r"split\.rule=given needs pictures with a label in train"):
        given.assign(rows(*some("cat", "", 5)), Split(rule="given"), {})


@hypothesis_given(
    images=st.lists(
        st.tuples(
            st.sampled_from(["cat", "dog"]),
            st.sampled_from(["train", "validation", "test", ""]),
            st.sampled_from(["", "a", "b", "c"]),
        ),
        min_size=1, max_size=25,
    )
)  # fmt: skip
def test_no_copy_crosses_and_nothing_moves_between_given_splits(images):
    images = [("cat", "train", ""), *images]
    found = rows(*images)
    places, _ = given.assign(found, Split(rule="given"), {})
    placed = found.assign(place=places)[places != ""]
    assert (placed.groupby("copies")["place"].nunique() == 1).all()
    moved = placed[placed["place"] != placed["split"]]
    assert set(moved["split"]) <= {"train"}
    assert set(moved["place"]) <= {"validation"}
