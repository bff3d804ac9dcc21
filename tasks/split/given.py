"""Splits that the source gives: folders, a table's column, lists. What crosses them is counted.

Where validation is missing it is taken from train, as a sticky split takes it.
"""

from collections.abc import Mapping

import pandas as pd

from storage.errors import EmptySplit
from storage.references import SPLITS
from tasks.split import by_fractions
from tasks.split.parameters import Fractions, Split


def assign(
    images: pd.DataFrame, parameters: Split, earlier: Mapping[str, str]
) -> tuple[pd.Series, list[str]]:
    """Split of each row ('' for those left out), and what is to be said of it.

    Rows have columns image, label, split, copies, known_group and group. EmptySplit where nothing
    is given to train.
    """
    places = images["split"].copy()
    if parameters.lists and "train" not in parameters.lists:
        places = places.where(places != "", "train")
    if not (places == "train").any():
        raise EmptySplit(
            "split.rule=given needs pictures with a label in train, found none: name split folders "
            "(train, validation, test), a table's column in source.split_column, or lists in "
            "split.lists"
        )
    remarks = _of_copies(images, places, parameters)
    if parameters.copies == "leave_out":
        places = _without_copies(images, places)
    remarks += _of_groups(images, places)
    shares = (parameters.fractions or Fractions()).shares()
    if not (places == "validation").any() and shares["validation"] > 0:
        places = _with_validation(images, places, shares, parameters.seed, earlier)
        number = int((places == "validation").sum())
        remarks.append(f"no validation is given: {number:,} pictures of train are it")
    if not (places == "test").any():
        remarks.append("no test is given: the report's figures are those of validation")
    outside = int((images["split"] == "").sum()) if "train" in parameters.lists else int(
        (places == "").sum() - _left(images, parameters)
    )  # fmt: skip
    if outside > 0:
        remarks.append(f"{outside:,} pictures with a label are in none of the given splits")
    return places, remarks


def _left(images: pd.DataFrame, parameters: Split) -> int:
    """Pictures that were left out although a split is given for them."""
    if parameters.copies == "keep":
        return 0
    return int((_home(images, images["split"]) != images["split"]).sum())


def _home(images: pd.DataFrame, places: pd.Series) -> pd.Series:
    """Of each row with a split, the split among those of its copies that is tested most."""
    ranks = {split: rank for rank, split in enumerate(("", *SPLITS))}
    most = places.map(ranks).groupby(images["copies"]).transform("max")
    home = most.map(dict(enumerate(("", *SPLITS))))
    return home.where(places != "", "")


def _without_copies(images: pd.DataFrame, places: pd.Series) -> pd.Series:
    return places.where(_home(images, places) == places, "")


def _of_copies(images: pd.DataFrame, places: pd.Series, parameters: Split) -> list[str]:
    placed = places != ""
    splits = places[placed].groupby(images.loc[placed, "copies"]).nunique()
    crossing = int((splits > 1).sum())
    if not crossing:
        return []
    moved = placed & (_home(images, places) != places)
    counts = places[moved].value_counts()
    where = " and ".join(f"{counts[name]:,} of {name}" for name in SPLITS if name in counts)
    what = (
        f"{where} are left out (split.copies=keep keeps them)"
        if parameters.copies == "leave_out"
        else f"{where} were kept, as split.copies=keep says: the figures flatter"
    )
    return [f"{crossing:,} groups of copies cross the given splits: {what}"]


def _of_groups(images: pd.DataFrame, places: pd.Series) -> list[str]:
    known = (images["known_group"] != "") & (places != "")
    splits = places[known].groupby(images.loc[known, "known_group"]).nunique()
    crossing = int((splits > 1).sum())
    if not crossing:
        return []
    return [
        (
            f"{crossing:,} of {len(splits):,} known groups are in more than one given split: the "
            "figures flatter"
        )
    ]


def _with_validation(
    images: pd.DataFrame, places: pd.Series, shares: dict[str, float], seed: int,
    earlier: Mapping[str, str],
) -> pd.Series:  # fmt: skip
    """Validation taken from train: of classes with two different pictures at least."""
    train = images[places == "train"]
    groups = train.groupby("label")["group"].transform("nunique")
    enough = train[groups > 1]
    if enough.empty:
        return places
    total = shares["train"] + shares["validation"]
    wanted = {name: shares[name] / total for name in ("train", "validation")}
    before = {name: split for name, split in earlier.items() if split in wanted}
    taken = by_fractions.assign(enough, wanted, seed, before)
    places = places.copy()
    places[taken.index] = taken
    return places
