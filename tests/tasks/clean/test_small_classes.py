"""Classes that are too small, groups that the user knows, bursts of one camera."""

import pandas as pd
import pytest

from storage.errors import NotEnoughPictures
from storage.statuses import Status
from tasks.clean import given_splits, known_groups, small_classes
from tasks.clean.parameters import Clean, Needed


def kept(*labels, groups=None, splits=None):
    """Usable pictures of these labels, each a group of its own."""
    names = [f"{i:02}" for i in range(len(labels))]
    return pd.DataFrame(
        {"image": names, "label": labels, "status": str(Status.KEPT), "reason": "",
         "group": groups or names, "copies": groups or names,
         "split": splits or [""] * len(labels)}
    )  # fmt: skip


def test_a_class_with_too_few_different_pictures_is_left_out_and_told():
    table = kept(*"aaa", *"bbb", *"cc", groups=[*"123", "x", "x", "x", *"45"])
    found, remarks = small_classes.set_aside(table, Clean(), Needed(pictures=3), given=False)
    assert found["status"].tolist() == ["kept"] * 3 + ["small class"] * 5
    assert remarks == [
        (
            "left out: class 'b' has 1 different pictures, the split needs 3; class 'c' has 2 "
            "different pictures, the split needs 3"
        )
    ]


def test_of_counts_any_pictures_do():
    table = kept(*"aaa", *"bbb", groups=[*"123", "x", "x", "x"])
    needed = Needed(pictures=3, different=False)
    _, remarks = small_classes.set_aside(table, Clean(), needed, given=False)
    assert remarks == []


def test_the_bar_may_be_raised():
    table = kept(*"aaaaa", *"bbb")
    found, remarks = small_classes.set_aside(table, Clean(min_pictures=4), Needed(), given=False)
    assert set(found.loc[found["label"] == "b", "status"]) == {"small class"}
    assert remarks == ["left out: class 'b' has 3 pictures, clean.min_pictures is 4"]


def test_of_given_splits_train_must_know_a_class():
    table = kept(*"aabb", splits=["train", "test", "test", "test"])
    found, remarks = small_classes.set_aside(table, Clean(), Needed(), given=True)
    assert found["status"].tolist() == ["kept", "kept", "small class", "small class"]
    assert remarks == ["left out: class 'b' has no pictures in train"]


def test_small_classes_may_be_refused():
    with pytest.raises(NotEnoughPictures, match=r"class 'b' has 1 .*: add pictures, or leave"):
        small_classes.set_aside(
            kept(*"aaab"), Clean(small_classes="refuse"), Needed(pictures=2), given=False
        )


def test_of_many_small_classes_some_are_named_and_all_counted():
    table = kept(*"aaa", *"bcdefghij")
    _, (remark,) = small_classes.set_aside(table, Clean(), Needed(pictures=2), given=False)
    assert remark.count("class '") == 5
    assert remark.endswith("and 4 classes more")


@pytest.mark.parametrize(
    ("splits", "found", "expected"),
    [
        ("given", [], True), ("own", ["train", "test"], False), ("either", ["train", "test"], True),
        ("either", ["train"], False), ("either", ["test", "validation"], False),
        ("either", [], False),
    ],
)  # fmt: skip
def test_given_splits_are_taken_where_train_and_another_are_given(splits, found, expected):
    rows = kept(*"a" * 6, splits=(found * 6)[:6] or None)
    assert given_splits.apply(splits, rows) is expected


def known(groups, known_group, taken=None, camera=None):
    number = len(groups)
    return pd.DataFrame(
        {"image": [f"{i}" for i in range(number)], "group": groups, "known_group": known_group,
         "taken": taken or [""] * number, "camera": camera or [""] * number}
    )  # fmt: skip


def test_copies_and_known_groups_are_joined_by_any_chain():
    table = known([*"aabbcd"], ["", "p", "p", "q", "q", ""])
    assert known_groups.joined(table, None).tolist() == ["0"] * 5 + ["5"]


def test_without_known_groups_the_copies_are_the_groups():
    table = known([*"aab"], [""] * 3)
    assert known_groups.joined(table, None).tolist() == ["a", "a", "b"]


def test_pictures_of_one_camera_soon_after_each_other_are_a_burst():
    times = ["2024-01-01T10:00:00", "2024-01-01T10:00:02", "2024-01-01T10:00:09", ""]
    table = known([*"abcdefgh"], [""] * 8, times * 2, ["one"] * 4 + ["two"] * 3 + [""])
    assert known_groups.joined(table, 2.0).tolist() == ["0", "0", "2", "3", "4", "4", "6", "7"]
    assert known_groups.joined(table, 1.0).tolist() == [*"01234567"]
