"""Classes that are too small for the split, or for what the user asks for."""

import pandas as pd

from storage.errors import NotEnoughPictures
from storage.statuses import Status
from tasks.clean.parameters import Clean, Needed

MOST_NAMED = 5


def set_aside(
    table: pd.DataFrame, parameters: Clean, needed: Needed, *, given: bool
) -> tuple[pd.DataFrame, list[str]]:
    """The table without classes that are too small, and what is to be said of them.

    Where splits are `given`, a class needs a picture in train. NotEnoughPictures where small
    classes are to be refused.
    """
    kept = table[table["status"] == Status.KEPT]
    counts = kept.groupby("label")["group"].agg(["size", "nunique"])
    enough = counts["nunique" if needed.different else "size"]
    kind = "different pictures" if needed.different else "usable pictures"
    small = {
        str(label): f"{number} {kind}, the split needs {needed.pictures}"
        for label, number in enough[enough < needed.pictures].items()
    }
    for label, number in counts["size"][counts["size"] < parameters.min_pictures].items():
        small[str(label)] = f"{number} pictures, clean.min_pictures is {parameters.min_pictures}"
    if given:
        learned = set(kept.loc[kept["split"] == "train", "label"])
        small |= {str(one): "no pictures in train" for one in counts.index if one not in learned}
    if small and parameters.small_classes == "refuse":
        raise NotEnoughPictures(f"{_said(small)}: add pictures, or leave them out")
    where = (table["status"] == Status.KEPT) & table["label"].isin(list(small))
    table = table.copy()
    table.loc[where, "reason"] = table.loc[where, "label"].map(small)
    table.loc[where, "status"] = str(Status.SMALL_CLASS)
    table.loc[where, ["group", "copies"]] = ""
    return table, [f"left out: {_said(small)}"] if small else []


def _said(small: dict[str, str]) -> str:
    named = [f"class {label!r} has {why}" for label, why in sorted(small.items())[:MOST_NAMED]]
    more = f" and {len(small) - MOST_NAMED} classes more" if len(small) > MOST_NAMED else ""
    return "; ".join(named) + more
