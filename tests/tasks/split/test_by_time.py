"""The newest are test: nothing in train is newer than anything that is tested."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import EmptySplit
from tasks.split import by_time
from tests.tasks.split.tables import shares, table


def dated(*rows):
    """Rows of (label, day, group); '' is a group of its own, None no time."""
    found = table([(f"{i}", label, group or f"{i}") for i, (label, _, group) in enumerate(rows)])
    return found.assign(time=["" if day is None else f"2024-01-{day:02}" for _, day, _ in rows])


def test_the_newest_are_test_and_those_before_them_validation():
    images = dated(*[("cat" if day % 2 else "dog", day, "") for day in range(1, 11)])
    places, remarks = by_time.assign(images, shares(6, 2, 2))
    assert places.tolist() == ["train"] * 6 + ["validation"] * 2 + ["test"] * 2
    assert remarks == [
        (
            "split by time: train 2024-01-01 to 2024-01-06, validation 2024-01-07 to 2024-01-08, "
            "test 2024-01-09 to 2024-01-10"
        )
    ]


def test_a_group_goes_where_its_newest_picture_goes():
    rows = [("cat", day, "g" if day in (2, 10) else "") for day in range(1, 11)]
    places, _ = by_time.assign(dated(*rows), shares(6, 2, 2))
    assert places[1] == places[9] == "test"


def test_pictures_without_a_time_are_left_out_and_told():
    rows = [("cat", day, "") for day in range(1, 11)] + [("cat", None, "")] * 2
    places, remarks = by_time.assign(dated(*rows), shares(6, 2, 2))
    assert places.tolist()[-2:] == ["", ""]
    assert "2 pictures have no time and are left out" in remarks


def test_a_class_of_new_pictures_alone_is_left_out_and_told():
    rows = [("cat", day, "") for day in range(1, 11)] + [("elk", 11, "")] * 2
    places, remarks = by_time.assign(dated(*rows), shares(6, 2, 2))
    assert places.tolist()[-2:] == ["", ""]
    assert any("of 'elk' there are only new ones" in remark for remark in remarks)


def test_without_times_the_words_that_bring_them_are_named():
    with pytest.raises(EmptySplit, match=r"2 of 3 pictures.*source\.time_column.*file_times=true"):
        by_time.assign(dated(("a", 1, ""), ("a", None, ""), ("b", None, "")), shares(6, 2, 2))


def test_one_moment_for_all_is_an_error():
    with pytest.raises(EmptySplit, match="leaves nothing in"):
        by_time.assign(dated(*[("a", 1, "")] * 9), shares(6, 2, 2))


@given(
    rows=st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(1, 28), st.sampled_from(["", "g", "h"])),
        min_size=5, max_size=40,
    )
)  # fmt: skip
def test_nothing_in_train_is_newer_than_what_is_tested(rows):
    images = dated(*rows)
    try:
        places, _ = by_time.assign(images, shares(6, 2, 2))
    except EmptySplit:
        return
    moments = pd.to_datetime(images["time"]).groupby(images["group"]).transform("max")
    newest = moments[places == "train"].max()
    assert (moments[places == "validation"] > newest).all()
    assert (moments[places == "test"] > moments[places == "validation"].max()).all()
    assert (
        images.assign(place=places)[places != ""].groupby("group")["place"].nunique() == 1
    ).all()
