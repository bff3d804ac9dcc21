"""The rules of splitting, one entry each: what a rule makes of usable images."""

from collections.abc import Callable, Mapping

import pandas as pd

from tasks.split import by_fractions, in_order
from tasks.split.parameters import Fractions, Rule, Split

COLUMNS = ["image", "label", "name", "source", "bytes", "width", "height", "group"]

# From the images, the parameters and the earlier assignment (image -> split) to a split for each.
Assign = Callable[[pd.DataFrame, Split, Mapping[str, str]], pd.Series]


def _in_order(images: pd.DataFrame, split: Split, _earlier: Mapping[str, str]) -> pd.Series:
    assert split.counts is not None  # a Split of this rule has them
    return in_order.assign(images, split.counts.numbers())


def _stratified(images: pd.DataFrame, split: Split, _earlier: Mapping[str, str]) -> pd.Series:
    return _sticky(images, split, {})


def _sticky(images: pd.DataFrame, split: Split, earlier: Mapping[str, str]) -> pd.Series:
    shares = (split.fractions or Fractions()).shares()
    return by_fractions.assign(images, shares, split.seed, dict(earlier))


RULES: dict[Rule, Assign] = {"in_order": _in_order, "stratified": _stratified, "sticky": _sticky}


def assign(images: pd.DataFrame, parameters: Split, earlier: Mapping[str, str]) -> pd.DataFrame:
    """COLUMNS of `images`, and `split`: train, validation, test, or '' for those left out."""
    return images[COLUMNS].assign(split=RULES[parameters.rule](images, parameters, earlier))
