"""Splits that the source gives: folders, a table's column, lists. What crosses them is counted.

Where validation is missing it is taken from train, as a sticky split takes it.
"""

from collections.abc import Mapping

import pandas as pd

from storage.errors import EmptySplit
from storage.references import SPLITS
from tasks.split import by_fractions
from tasks.split.parameters import Split


def assign(
    images: pd.DataFrame, parameters: Split, earlier: Mapping[str, str]
) -> tuple[pd.Series, list[str]]:
    """Split of each row ('' for those left out), and what is to be said of it.

    Rows have columns image, label, split, copies, known_group and group. EmptySplit where nothing
    is given to train.
    """
    given = images["split"]
    if not (given == "train").any():
        raise EmptySplit(
            "split.rule=given needs pictures with a label in train, found none: name split folders "
            "(train, validation, test), a table's column in source.split_column, or lists in "
            "split.lists"
        )
    home = _home(images, given)
    remarks = _of_copies(images, home, parameters.copies)
    places = home.where(home == given, "") if parameters.copies == "leave_out" else given
    remarks += _of_groups(images, places)
    if not (places == "validation").any() and parameters.shares["validation"] > 0:
        places = _with_validation(images, places, parameters, earlier)
        number = int((places == "validation").sum())
        remarks.append(f"no validation is given: {number:,} pictures of train are it")
    if not (places == "test").any():
        remarks.append("no test is given: the report's figures are those of validation")
    if outside := int((given == "").sum()):
        remarks.append(f"{outside:,} pictures with a label are in none of the given splits")
    return places, remarks


def _home(images: pd.DataFrame, places: pd.Series) -> pd.Series:
    """Of each row with a split, the split among those of its copies that is tested most."""
    ranks = {split: rank for rank, split in enumerate(("", *SPLITS))}
    most = places.map(ranks).groupby(images["copies"]).transform("max")
    home = most.map(dict(enumerate(("", *SPLITS))))
    return home.where(places != "", "")


def _of_copies(images: pd.DataFrame, home: pd.Series, copies: str) -> list[str]:
    elsewhere = home != images["split"]
    if not elsewhere.any():
        return []
    crossing = images.loc[elsewhere, "copies"].nunique()
    counts = images.loc[elsewhere, "split"].value_counts()
    where = " and ".join(f"{counts[name]:,} of {name}" for name in SPLITS if name in counts)
    what = (
        f"{where} are left out (split.copies=keep keeps them)"
        if copies == "leave_out"
        else f"{where} were kept, as split.copies=keep says: the figures flatter"
    )
    return [f"{crossing:,} groups of copies cross the given splits: {what}"]


def _of_groups(images: pd.DataFrame, places: pd.Series) -> list[str]:
    known = (images["known_group"] != "") & (places != "")
    splits = places[known].groupby(images.loc[known, "known_group"]).nunique()
    crossing = int((splits > 1).sum())
    if not crossing:
        return []
    said = f"{crossing:,} of {len(splits):,} known groups are in more than one given split"
    return [f"{said}: the figures flatter"]


def _with_validation(
    images: pd.DataFrame, places: pd.Series, parameters: Split, earlier: Mapping[str, str]
) -> pd.Series:
    """Validation taken from train: of classes with two different pictures at least."""
    train = images[places == "train"]
    groups = train.groupby("label")["group"].transform("nunique")
    enough = train[groups > 1]
    if enough.empty:
        return places
    shares = {name: parameters.shares[name] for name in ("train", "validation")}
    wanted = {name: share / sum(shares.values()) for name, share in shares.items()}
    before = {name: split for name, split in earlier.items() if split in wanted}
    taken = by_fractions.assign(enough, wanted, parameters.seed, before)
    places = places.copy()
    places[taken.index] = taken
    return places
