"""What must share a split because the user says so: patients, cameras' bursts, copies."""

import numpy as np
import pandas as pd


def joined(kept: pd.DataFrame, burst_seconds: float | None) -> pd.Series:
    """Group of each row: rows that share copies, a known group or a burst, by whatever chain.

    Columns group (of copies), known_group, and of bursts time and camera; a group is called after
    the first of its images.
    """
    if kept.empty:
        return kept["group"]
    columns = [kept["group"], kept["known_group"].where(kept["known_group"] != "")]
    if burst_seconds is not None:
        columns.append(_bursts(kept, burst_seconds))
    if all(column.isna().all() for column in columns[1:]):
        return kept["group"]
    numbers = pd.Series(_components(len(kept), columns), index=kept.index)
    return first_of_group(kept["image"], numbers)


def first_of_group(values: pd.Series, groups: pd.Series) -> pd.Series:
    """For each row the smallest value of its group; `groups` has the same index.

    As groupby(…).transform("min"), which takes a step of Python for each group of texts.
    """
    both = pd.DataFrame({"group": groups, "value": values}).sort_values("value")
    firsts = both.drop_duplicates("group")
    return groups.map(dict(zip(firsts["group"], firsts["value"], strict=True)))


def _components(number: int, columns: list[pd.Series]) -> np.ndarray:
    """Numbers of the groups of rows that are connected by an equal value in any column."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows, others, size = [], [], number
    for column in columns:
        codes, values = pd.factorize(column)
        known = codes >= 0
        rows.append(np.flatnonzero(known))
        others.append(codes[known] + size)
        size += len(values)
    first, second = np.concatenate(rows), np.concatenate(others)
    links = coo_array((np.ones(len(first), bool), (first, second)), shape=(size, size))
    found: np.ndarray = connected_components(links, directed=False)[1]
    return found[:number]


def _bursts(kept: pd.DataFrame, seconds: float) -> pd.Series:
    """A number for each run of pictures of one camera without a longer pause in it."""
    times = pd.to_datetime(kept["taken"], errors="coerce")
    known = kept.assign(at=times)[times.notna() & (kept["camera"] != "")]
    known = known.sort_values(["camera", "at"], kind="stable")
    pause = known.groupby("camera")["at"].diff().dt.total_seconds()
    number = (~(pause <= seconds)).cumsum()
    return number.reindex(kept.index)
