"""The rules of splitting, one entry each: what a rule makes of usable images."""

from collections.abc import Callable, Mapping

import pandas as pd

from tasks.split import by_fractions, by_time, in_order
from tasks.split import given as given_splits
from tasks.split.parameters import Rule, Split

COLUMNS = ["image", "label", "name", "source", "bytes", "width", "height", "group", "copies"]
# What people said of labels, where they did.
SAID = ("corrected", "label_was")

# From the images, the parameters and the earlier assignment (image -> split) to a split for each,
# and what is to be said of it.
Assigned = tuple[pd.Series, list[str]]
Assign = Callable[[pd.DataFrame, Split, Mapping[str, str]], Assigned]


def _in_order(images: pd.DataFrame, split: Split, _earlier: Mapping[str, str]) -> Assigned:
    assert split.counts is not None  # a Split of this rule has them
    return in_order.assign(images, split.counts.numbers()), []


def _stratified(images: pd.DataFrame, split: Split, _earlier: Mapping[str, str]) -> Assigned:
    return _sticky(images, split, {})


def _sticky(images: pd.DataFrame, split: Split, earlier: Mapping[str, str]) -> Assigned:
    return by_fractions.assign(images, split.shares, split.seed, dict(earlier)), []


def _by_time(images: pd.DataFrame, split: Split, _earlier: Mapping[str, str]) -> Assigned:
    return by_time.assign(images, split.shares)


RULES: dict[Rule, Assign] = {
    "in_order": _in_order,
    "stratified": _stratified,
    "sticky": _sticky,
    "given": given_splits.assign,
    "by_time": _by_time,
}


def assign(
    images: pd.DataFrame, parameters: Split, earlier: Mapping[str, str], *, given: bool = False
) -> tuple[pd.DataFrame, list[str]]:
    """COLUMNS (and SAID) of `images`, and `split`: train, validation, test, or '' if left out.

    And what is to be said of the split. `given` is whether the source's own splits are taken where
    no rule is asked for.
    """
    rule = parameters.asked or ("given" if given else "sticky")
    places, remarks = RULES[rule](images, parameters, earlier)
    names = sorted(set(images["split"]) - {""})
    if rule != "given" and len(names) > 1:
        remarks = [
            *remarks,
            (
                f"the source has splits of its own ({', '.join(names)}), which are not used: "
                "split.rule=given takes them"
            ),
        ]
    columns = [*COLUMNS, *(name for name in SAID if name in images)]
    return images[columns].assign(split=places), remarks
