import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from tasks.evaluate import slices


@pytest.fixture
def table():
    count = 200
    return pd.DataFrame(
        {
            "image": [f"{n}.jpg" for n in range(count)],
            "label": ["cat", "dog"] * (count // 2),
            "source": ["web"] * 50 + ["archive"] * 150,
            "width": [100 + n for n in range(count)],
            "height": [1000] * count,
            "copies": [f"g{n // 2}" if n < 20 else f"{n}" for n in range(count)],
            "correct": [n % 2 == 0 or n > 120 for n in range(count)],
        }
    )


def test_slices_of_a_property_cover_every_picture(table):
    found = slices.slices(table, table)
    for name in ("shorter side", "source", "class", "near-duplicates"):
        parts = [one for one in found if one.property == name]
        assert sum(one.pictures for one in parts) == len(table), name
        assert sum(one.correct for one in parts) == table["correct"].sum(), name


def test_intervals_are_wilsons(table):
    found = slices.slices(table, table)
    assert {one.value for one in found} > {"cat", "dog", "web", "archive"}
    for one in found:
        low, high = proportion_confint(one.correct, one.pictures, method="wilson")
        assert (one.low, one.high) == pytest.approx((low, high))
        assert one.weak == (one.high < table["correct"].mean())


def test_sizes_are_in_order_and_weak_ones_are_marked(table):
    found = slices.slices(table, table)
    sizes = [one for one in found if one.property == "shorter side"]
    assert sizes[0].value == "100 to 149 pixels"
    assert [one.pictures for one in sizes] == [50] * 4
    assert {one.value: one.weak for one in found if one.property == "class"} == {
        "cat": False,
        "dog": True,
    }


def test_near_duplicates_count_over_all_splits(table):
    # The only other picture of the group lies outside the predictions.
    whole = pd.concat([table, table.tail(1).assign(image="x.jpg")])
    marks = slices.near_duplicates(table, whole)
    assert (marks == "has near-duplicates").sum() == 21


def test_what_does_not_vary_is_no_slice(table):
    same = table.assign(width=64, height=64, source="web", label="cat", copies=table["image"])
    assert slices.slices(same, same) == []


@pytest.mark.parametrize("count", range(1, 101))
def test_a_slice_with_every_picture_right_is_not_weak(count):
    one = slices._slice("class", "cat", pd.Series([True] * count), 1.0)
    assert (one.high, one.weak) == (1.0, False)
    none = slices._slice("class", "cat", pd.Series([False] * count), 0.0)
    assert (none.low, none.weak) == (0.0, False)
