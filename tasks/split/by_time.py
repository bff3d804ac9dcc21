"""The newest pictures are test, those before validation: for models that will see the future."""

from collections.abc import Iterator

import pandas as pd

from storage.errors import EmptySplit
from storage.references import SPLITS


def assign(images: pd.DataFrame, shares: dict[str, float]) -> tuple[pd.Series, list[str]]:
    """Split of each row ('' for one without a time), and what is to be said of it.

    Rows have columns label, group and time. A group goes where its newest picture goes, and what
    was taken at one moment goes to one split: nothing in train is newer than anything that is
    tested. EmptySplit where most pictures have no time, or where a split stays empty.
    """
    times = pd.to_datetime(images["time"], errors="coerce", format="mixed", utc=True)
    known = times.notna()
    if 2 * int(known.sum()) <= len(images):
        raise EmptySplit(
            f"split.rule=by_time needs times, {int((~known).sum()):,} of {len(images):,} pictures "
            "have none in EXIF: name a table's column in source.time_column, or say "
            "source.file_times=true to take the files' own"
        )
    moments = times[known].groupby(images.loc[known, "group"]).transform("max")
    places, new = _placed(images["label"], moments, shares)
    for split, share in shares.items():
        if share > 0 and not (places == split).any():
            raise EmptySplit(
                f"split.rule=by_time leaves nothing in {split}: too many pictures were taken at "
                "one moment, or belong to one group. Give other split.fractions, or another rule"
            )
    return places, list(_remarks(images, times, places, known, new))


def _placed(
    labels: pd.Series, moments: pd.Series, shares: dict[str, float]
) -> tuple[pd.Series, pd.Series]:
    """Split of each row, and which rows are left out since their class is not in train."""
    new = pd.Series(data=False, index=labels.index)
    while True:
        places = pd.Series("", index=labels.index, dtype=object)
        for split, rows in _cut(moments[~new[moments.index]], shares):
            places[rows] = split
        unknown = (places != "") & ~labels.isin(set(labels[places == "train"]))
        if not unknown.any():
            return places, new
        new |= unknown


def _cut(moments: pd.Series, shares: dict[str, float]) -> Iterator[tuple[str, pd.Index]]:
    """The rows of each split, the newest split first."""
    left = moments.sort_values(kind="stable")
    total = len(left)
    for split in reversed(SPLITS):
        wanted = round(shares[split] * total) if split != SPLITS[0] else len(left)
        if not wanted or left.empty:
            continue
        first = left.iloc[max(0, len(left) - wanted)]
        newest = left[left >= first]
        left = left[left < first]
        yield split, newest.index


def _remarks(
    images: pd.DataFrame, times: pd.Series, places: pd.Series, known: pd.Series, new: pd.Series
) -> Iterator[str]:
    spans = [
        f"{split} {own.min():%Y-%m-%d} to {own.max():%Y-%m-%d}"
        for split in SPLITS
        if not (own := times[places == split]).empty
    ]
    yield f"split by time: {', '.join(spans)}"
    if not known.all():
        yield f"{int((~known).sum()):,} pictures have no time and are left out"
    if new.any():
        labels = sorted(set(images.loc[new, "label"]))
        yield (
            f"{int(new.sum()):,} pictures are left out: of {', '.join(map(repr, labels[:5]))} "
            "there are only new ones, none to learn from"
        )
