"""The tutorials' rule: of each class, in natural order, the first n train, the next m validate, …

Unlike the tutorials', near-duplicates stay together: a group goes where its first picture goes, so
that no test picture has been seen in training. A group may have pictures of several classes.
"""

from collections import Counter

import pandas as pd

from storage.errors import NotEnoughPictures
from storage.references import SPLITS


def assign(images: pd.DataFrame, numbers: dict[str, int]) -> pd.Series:
    """Split of each row ('' for those beyond the counts); `numbers` is per class and split.

    Rows come in natural order of names with columns label and group. NotEnoughPictures when a
    class has too few, or too few that are free to go where they are needed.
    """
    for label, rows in images.groupby("label", sort=True):
        _require(str(label), len(rows), numbers)
    groups = [list(members) for members in images.groupby("group", sort=False).groups.values()]
    places = _fill(groups, images["label"].to_dict(), numbers)
    return pd.Series(places, dtype=object).reindex(images.index, fill_value="")


def _require(label: str, found: int, numbers: dict[str, int]) -> None:
    needed = sum(numbers.values())
    if found < needed:
        raise NotEnoughPictures(
            f"class {label!r} has {found} usable pictures, the split needs {needed} "
            f"({', '.join(f'{name} {n}' for name, n in numbers.items())}): lower split.counts or "
            "add pictures"
        )


def _fill(
    groups: list[list[object]], labels: dict[object, str], numbers: dict[str, int]
) -> dict[object, str]:
    """Fill one split after the other; a group too large for what is left waits for the next."""
    places: dict[object, str] = {}
    waiting = [(group, Counter(labels[row] for row in group)) for group in groups]
    for split in SPLITS:
        room, later = dict.fromkeys(sorted(set(labels.values())), numbers[split]), []
        for group, members in waiting:
            if all(number <= room[label] for label, number in members.items()):
                room.update({label: room[label] - number for label, number in members.items()})
                places.update(dict.fromkeys(group, split))
            else:
                later.append((group, members))
        _require_full(split, room, [members for _, members in later])
        waiting = later
    return places


def _require_full(split: str, room: dict[str, int], waiting: list[Counter[str]]) -> None:
    for label, left in room.items():
        if left:
            alike = sorted({other for group in waiting if label in group for other in group})
            others = [repr(other) for other in alike if other != label]
            shared = f" (some are also of class {', '.join(others)})" if others else ""
            raise NotEnoughPictures(
                f"class {label!r}: {left} places in {split} cannot be filled without tearing "
                f"near-duplicates apart{shared}: lower split.counts"
            )
