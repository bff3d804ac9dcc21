"""The tutorials' rule: of each class, in natural order, the first n train, the next m validate, …

Unlike the tutorials', near-duplicates stay together: a group goes where its first picture goes, so
that no test picture has been seen in training.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from storage.errors import NotEnoughPictures
from storage.references import SPLITS

if TYPE_CHECKING:
    import pandas as pd


def assign(images: "pd.DataFrame", numbers: dict[str, int]) -> "pd.Series":
    """Split of each row ('' for those beyond the counts); `numbers` is per class and split.

    Rows come in natural order of names with columns label and group. NotEnoughPictures when a
    class has too few.
    """
    import pandas as pd

    places: dict[object, str] = {}
    for label, rows in images.groupby("label", sort=True):
        _require(str(label), len(rows), numbers)
        groups = [list(members) for members in rows.groupby("group", sort=False).groups.values()]
        places.update(_fill(str(label), groups, numbers))
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
    label: str, groups: list[list[object]], numbers: dict[str, int]
) -> Iterable[tuple[object, str]]:
    """Fill one split after the other; a group too large for what is left waits for the next."""
    waiting = groups
    for split in SPLITS:
        room, later = numbers[split], []
        for group in waiting:
            if len(group) <= room:
                room -= len(group)
                yield from ((row, split) for row in group)
            else:
                later.append(group)
        if room:
            raise NotEnoughPictures(
                f"class {label!r}: {room} places in {split} cannot be filled without tearing "
                "near-duplicates apart: lower split.counts"
            )
        waiting = later
