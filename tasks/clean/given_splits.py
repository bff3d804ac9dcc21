"""Whether a collection's own splits count."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Literal

from storage.statuses import Status

if TYPE_CHECKING:
    import pandas as pd

Splits = Literal["given", "own", "either"]


def apply(splits: Splits, rows: "pd.DataFrame") -> bool:
    """Whether the splits that the source gives are the ones to use.

    Where either will do, they are if they give pictures with labels to train, and to another split.
    """
    return are_given(splits, set(rows.loc[rows["status"] == Status.KEPT, "split"]) - {""})


def are_given(splits: Splits, found: Collection[str]) -> bool:
    """The same, by the splits that have pictures with labels."""
    if splits != "either":
        return splits == "given"
    return "train" in found and len(found) > 1
