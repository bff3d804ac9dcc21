"""Splits by shares: stratified, group-aware and, given an earlier assignment, sticky.

Groups come in an order that only the seed and their pictures fix, and each goes to the split that
is furthest behind its share of the class. A picture that was assigned before keeps its split, so
that adding pictures never moves one, and a test set stays a test set.
"""

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from storage.errors import EmptySplit
from storage.references import SPLITS

if TYPE_CHECKING:
    import pandas as pd


def assign(
    images: "pd.DataFrame", shares: dict[str, float], seed: int, previous: dict[str, str]
) -> "pd.Series":
    """Split of each row; '' for a picture that is nearly the same as pictures of several splits.

    Rows have columns image, label and group; `previous` maps images to splits. EmptySplit when a
    class has fewer pictures than there are splits with a share, or none for train.
    """
    import pandas as pd

    places: dict[object, str] = {}
    wanted = {split: share for split, share in shares.items() if share > 0}
    for label, rows in images.groupby("label", sort=True):
        _require(str(label), rows, wanted)
        placed = _of_class(rows, wanted, seed, previous)
        _require_pictures(f"class {label!r}", placed, ["train"])
        places.update(placed)
    _require_pictures("the collection", places, wanted)
    return pd.Series(places, dtype=object).reindex(images.index, fill_value="")


def _require(label: str, rows: "pd.DataFrame", shares: dict[str, float]) -> None:
    found = rows["group"].nunique()
    if found < len(shares):
        raise EmptySplit(
            f"class {label!r} has {found} different pictures, the split needs at least "
            f"{len(shares)}, one for each of {', '.join(shares)}: add pictures of this class, or "
            "leave it out"
        )


def _require_pictures(owner: str, places: dict[object, str], splits: Iterable[str]) -> None:
    """Whoever removes pictures may remove all that a split had, and the others do not move."""
    for split in splits:
        if split not in places.values():
            raise EmptySplit(
                f"{owner} has no pictures in {split}, expected at least one, and those that are in "
                "another split stay there: add pictures, or begin anew with another split.seed"
            )


def _of_class(
    rows: "pd.DataFrame", shares: dict[str, float], seed: int, previous: dict[str, str]
) -> dict[object, str]:
    images = rows["image"].to_dict()
    groups = sorted(
        (list(members) for members in rows.groupby("group").groups.values()),
        key=lambda group: _order(seed, min(images[row] for row in group)),
    )
    places: dict[object, str] = {}
    new = []
    for group in groups:
        kept = {row: previous[images[row]] for row in group if images[row] in previous}
        places.update(kept or {})
        if not kept:
            new.append(group)
        elif len(set(kept.values())) == 1:
            places.update(dict.fromkeys(group, next(iter(kept.values()))))
        # else: the new pictures of the group link two splits and are left out
    _fill(places, new, shares, len(rows))
    return places


def _order(seed: int, image: str) -> bytes:
    return hashlib.sha256(f"{seed}:{image}".encode()).digest()


def _fill(
    places: dict[object, str], groups: list[list[object]], shares: dict[str, float], total: int
) -> None:
    filled = dict.fromkeys(shares, 0)
    for split in places.values():
        filled[split] = filled.get(split, 0) + 1
    for position, group in enumerate(groups):
        behind = {split: share * total - filled[split] for split, share in shares.items()}
        empty = [split for split in SPLITS if split in shares and not filled[split]]
        if empty and len(groups) - position <= len(empty):
            behind = {split: behind[split] for split in empty}
        split = max(behind, key=lambda name: behind[name])
        filled[split] += len(group)
        places.update(dict.fromkeys(group, split))
