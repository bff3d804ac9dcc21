"""Pictures that differ from others of their class in what has nothing to do with what they show.

Dark, overexposed, blurred, nearly empty, oddly shaped, or grey where the others have colours: each
may be right, and together they are where most mistakes of collecting are. Bounds are the module's
constants. Where they depend on the class, the distance counts in its own spread: the median
absolute deviation, as of a normal distribution (Leys et al., Detecting outliers, 2013).
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from storage.statuses import Status

# Grey levels, of 255.
DARK, LIGHT, EMPTY = 55.0, 225.0, 6.0
# Logarithms of the Laplacian's variance: above this no picture is called blurred.
BLURRED = 4.5
# The longer side over the shorter one, times as much as is usual in the class.
SHAPE = 2.0
# Mean distance between colours (of 255), and the share of such pictures that is no exception.
GREY, FEW = 3.0, 0.2
DEVIATIONS = 4.0
# The median absolute deviation times this is the deviation of a normal distribution.
NORMAL = 1.4826
# Fewer pictures than these have no spread to speak of.
ENOUGH = 10


class Odd(NamedTuple):
    """The odd pictures of one kind, the oddest first, in words what makes them so.

    `table` has the rows of the collection with a column `said`.
    """

    kind: str
    bound: str
    table: pd.DataFrame


def odd(rows: pd.DataFrame) -> list[Odd]:
    """One entry for each kind that there is, of the pictures that are kept.

    Each picture is in one: a dark one is nearly empty, and grey, because it is dark.
    """
    kept = rows[rows["status"] == Status.KEPT]
    kept = kept[~kept["image"].duplicated()].reset_index(drop=True)
    if kept.empty:
        return []
    found: list[Odd] = []
    named: set[str] = set()
    for kind, bound, table in (find(kept) for find in KINDS):
        own = table[~table["image"].isin(named)]
        named.update(own["image"])
        found += [] if own.empty else [Odd(kind, bound, own)]
    return found


def _dark(kept: pd.DataFrame) -> Odd:
    part = kept[kept["lightest"] < DARK].sort_values("lightest", kind="stable")
    said = part["lightest"].map("95 % of it below {:.0f} of 255".format)
    return Odd("dark", f"95 % of the pixels below {DARK:.0f} of 255", part.assign(said=said))


def _light(kept: pd.DataFrame) -> Odd:
    bright = kept[kept["darkest"] > LIGHT]
    part = bright.sort_values("darkest", ascending=False, kind="stable")
    said = part["darkest"].map("95 % of it above {:.0f} of 255".format)
    return Odd("bright", f"95 % of the pixels above {LIGHT:.0f} of 255", part.assign(said=said))


def _empty(kept: pd.DataFrame) -> Odd:
    part = kept[kept["contrast"] < EMPTY].sort_values("contrast", kind="stable")
    said = part["contrast"].map("contrast {:.1f} of 255".format)
    bound = f"grey levels deviate by less than {EMPTY:.0f} of 255"
    return Odd("nearly empty", bound, part.assign(said=said))


def _blurred(kept: pd.DataFrame) -> Odd:
    full = kept[kept["contrast"] >= EMPTY]
    below = -_deviations(full, full["sharpness"])
    part = full[(full["sharpness"] < BLURRED) & (below > DEVIATIONS)]
    said = below[part.index].map("{:.1f} deviations less sharp than its class".format)
    bound = f"sharpness below {BLURRED} and {DEVIATIONS:.0f} deviations below the class's median"
    return Odd("blurred", bound, part.assign(said=said).sort_values("sharpness", kind="stable"))


def _shaped(kept: pd.DataFrame) -> Odd:
    shape = (kept["width"] / kept["height"]).map(np.log)
    away = (shape - shape.groupby(kept["label"]).transform("median")).abs()
    part = kept[(away > np.log(SHAPE)) & (_deviations(kept, shape).abs() > DEVIATIONS)]
    sides = part["width"].astype(str) + " x " + part["height"].astype(str)
    part = part.assign(said=sides + " pixels", away=away[part.index])
    bound = f"{SHAPE:.0f} times as wide or as high as is usual in the class, beyond its spread"
    ordered = part.sort_values("away", ascending=False, kind="stable").drop(columns="away")
    return Odd("odd shape", bound, ordered)


def _grey(kept: pd.DataFrame) -> Odd:
    grey = kept["colour"] < GREY
    share = grey.groupby(kept["label"]).transform("mean")
    part = kept[grey & (share <= FEW)].sort_values("colour", kind="stable")
    bound = f"colours less than {GREY:.0f} of 255 apart, in a class with at most {FEW:.0%} such"
    return Odd("grey among colours", bound, part.assign(said="no colour"))


KINDS = (_dark, _light, _empty, _blurred, _shaped, _grey)


def _deviations(kept: pd.DataFrame, values: pd.Series) -> pd.Series:
    """How many deviations a value lies from its class's median; 0 where there are too few."""
    grouped = values.groupby(kept["label"])
    away = values - grouped.transform("median")
    spread = NORMAL * away.abs().groupby(kept["label"]).transform("median")
    enough = grouped.transform("size") >= ENOUGH
    # Where most of a class are equal, whatever differs is far away.
    return (away / spread.clip(lower=1e-3)).where(enough, 0.0)
