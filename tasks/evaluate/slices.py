"""Accuracy on parts of a split: by size, source, class and near-duplicates."""

from typing import NamedTuple

import pandas as pd

from tasks.evaluate.metrics import wilson

SIZES = 4
MOST_VALUES = 50


class Slice(NamedTuple):
    """Pictures that share a property; `weak` when its interval lies below the whole's accuracy."""

    property: str
    value: str
    pictures: int
    correct: int
    accuracy: float
    low: float
    high: float
    weak: bool


def slices(table: pd.DataFrame, split: pd.DataFrame) -> list[Slice]:
    """Slices of one split's predictions; `split` is the whole manifest, for the groups.

    A property with one value only says nothing and is left out; of one with more than MOST_VALUES
    the largest are taken.
    """
    overall = float(table["correct"].mean())
    found = []
    for name, values in _properties(table, split).items():
        counts = values.value_counts()
        if len(counts) > 1:
            chosen = set(counts.index[:MOST_VALUES])
            ordered = [value for value in _in_order(values) if value in chosen]
            found += [
                _slice(name, str(value), table["correct"][values == value], overall)
                for value in ordered
            ]
    return found


def _properties(table: pd.DataFrame, split: pd.DataFrame) -> dict[str, pd.Series]:
    return {
        "shorter side": size_bands(table),
        "source": table["source"],
        "class": table["label"],
        "near-duplicates": near_duplicates(table, split),
    }


def size_bands(table: pd.DataFrame) -> pd.Series:
    """Each picture's band of shorter sides: up to SIZES bands, about equally full, in pixels."""
    sides = table[["width", "height"]].min(axis=1)
    bands = pd.qcut(sides, SIZES, duplicates="drop") if sides.nunique() > 1 else None
    if bands is None:
        return sides.astype(str)
    edges = sides.groupby(bands, observed=True).agg(["min", "max"])
    names = {band: f"{row['min']} to {row['max']} pixels" for band, row in edges.iterrows()}
    return bands.cat.rename_categories(names)


def near_duplicates(table: pd.DataFrame, split: pd.DataFrame) -> pd.Series:
    """Whether a picture has near-duplicates among all pictures of the split's manifest."""
    known = split[split["copies"] != ""]
    sizes = known["copies"].map(known["copies"].value_counts())
    numbers = dict(zip(known["image"], sizes, strict=True))
    shared = table["image"].map(numbers).fillna(1) > 1
    return shared.map({True: "has near-duplicates", False: "no near-duplicate"})


def _in_order(values: pd.Series) -> list[str]:
    if hasattr(values, "cat"):
        return [value for value in values.cat.categories if (values == value).any()]
    return sorted(values.unique())


def _slice(name: str, value: str, correct: pd.Series, overall: float) -> Slice:
    count, right = len(correct), int(correct.sum())
    low, high = wilson(right, count)
    return Slice(name, value, count, right, right / count, low, high, high < overall)
