"""Splits by shares: stratified, group-aware and, given an earlier assignment, sticky.

Groups come in an order that only the seed and their pictures fix, and each goes as a whole to the
split that is furthest behind its share of the classes of its pictures: pictures that differ in
colour only are alike and may have different labels. A picture that was assigned before keeps its
split or is left out, so that adding pictures never moves one, and a test set stays a test set.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import pandas as pd

from storage.errors import EmptySplit
from storage.references import SPLITS

Group = list[object]
"""Rows of pictures that are nearly the same, of one class or several."""


def assign(
    images: pd.DataFrame, shares: dict[str, float], seed: int, previous: dict[str, str]
) -> pd.Series:
    """Split of each row; '' for a picture that is left out: those like it are in another split.

    Rows have columns image, label and group; `previous` maps images to splits. EmptySplit when a
    class has fewer pictures than there are splits with a share, or none for train.
    """
    wanted = {split: share for split, share in shares.items() if share > 0}
    for label, rows in images.groupby("label", sort=True):
        _require(str(label), rows, wanted)
    labels = images["label"].to_dict()
    groups = _groups(images, seed)
    places, new = _kept(groups, images["image"].to_dict(), previous)
    classes = _classes(labels, places, new)
    _fill(places, new, labels, classes, wanted)
    _mend(places, new, labels, classes, wanted)
    _require_whole(classes, _bound(labels, new), wanted)
    _require_pictures("the collection", set(places.values()), wanted, STAY)
    return pd.Series(places, dtype=object).reindex(images.index, fill_value="")


def _require(label: str, rows: pd.DataFrame, shares: dict[str, float]) -> None:
    found = rows["group"].nunique()
    if found < len(shares):
        raise EmptySplit(
            f"class {label!r} has {found} different pictures, the split needs at least "
            f"{len(shares)}, one for each of {', '.join(shares)}: add pictures of this class, or "
            "leave it out"
        )


STAY = "those that are in another split stay there"
TOGETHER = "those that are nearly the same as pictures of another class stay together with them"


def _require_pictures(owner: str, found: set[str], splits: Iterable[str], reason: str) -> None:
    for split in splits:
        if split not in found:
            raise EmptySplit(
                f"{owner} has no pictures in {split}, expected at least one, and {reason}: add "
                "pictures, or begin anew with another split.seed"
            )


@dataclass
class _Class:
    """How one class stands while its groups are placed."""

    pictures: int = 0
    waiting: int = 0
    """Groups with pictures of it that have no place yet."""
    filled: Counter[str] = field(default_factory=Counter)
    """Pictures in each split."""

    def behind(self, split: str, share: float) -> float:
        """Pictures that the split lacks of its share."""
        return share * self.pictures - self.filled[split]

    def urgent(self, shares: dict[str, float]) -> set[str]:
        """Splits without a picture of it, once the groups that wait are only just enough."""
        empty = {split for split in SPLITS if split in shares and not self.filled[split]}
        return empty if self.waiting <= len(empty) else set()


def _groups(images: pd.DataFrame, seed: int) -> list[Group]:
    """Whole groups over all labels, in the order of the seed."""
    names = images["image"].to_dict()
    return sorted(
        (list(members) for members in images.groupby("group").groups.values()),
        key=lambda group: _order(seed, min(names[row] for row in group)),
    )


def _order(seed: int, image: str) -> bytes:
    return hashlib.sha256(f"{seed}:{image}".encode()).digest()


def _kept(
    groups: list[Group], names: dict[object, str], previous: dict[str, str]
) -> tuple[dict[object, str], list[Group]]:
    """Places of the groups of which some picture was placed before, and the groups of which none.

    New pictures of a group join the old ones. Where those are in several splits (they were not
    known to be alike, or a new one links them) only those in the split that is tested most stay:
    the others are left out, and none moves.
    """
    places: dict[object, str] = {}
    new = []
    for group in groups:
        kept = {row: previous[names[row]] for row in group if names[row] in previous}
        splits = set(kept.values())
        if not splits:
            new.append(group)
        elif len(splits) == 1:
            places.update(dict.fromkeys(group, splits.pop()))
        else:
            home = max(splits, key=SPLITS.index)
            places.update({row: split for row, split in kept.items() if split == home})
    return places, new


def _classes(
    labels: dict[object, str], places: dict[object, str], new: list[Group]
) -> dict[str, _Class]:
    classes = {label: _Class(pictures=n) for label, n in sorted(Counter(labels.values()).items())}
    for row, split in places.items():
        classes[labels[row]].filled[split] += 1
    for group in new:
        for label in {labels[row] for row in group}:
            classes[label].waiting += 1
    return classes


def _bound(labels: dict[object, str], new: list[Group]) -> set[str]:
    """Classes with pictures whose place was fixed by an earlier assignment."""
    free = {row for group in new for row in group}
    return {label for row, label in labels.items() if row not in free}


def _fill(
    places: dict[object, str],
    groups: list[Group],
    labels: dict[object, str],
    classes: dict[str, _Class],
    shares: dict[str, float],
) -> None:
    for group in groups:
        members = Counter(labels[row] for row in group)
        split = _choice(members, classes, shares)
        for label, number in members.items():
            classes[label].filled[split] += number
            classes[label].waiting -= 1
        places.update(dict.fromkeys(group, split))


def _choice(members: Counter[str], classes: dict[str, _Class], shares: dict[str, float]) -> str:
    """The split furthest behind, as the pictures of the group see it on average."""
    weights = {label: number / members.total() for label, number in sorted(members.items())}
    behind = {
        split: sum(
            weight * classes[label].behind(split, share) for label, weight in weights.items()
        )
        for split, share in shares.items()
    }
    for label in weights:
        urgent = classes[label].urgent(shares)
        behind = {split: behind[split] for split in behind if split in urgent} or behind
    return max(behind, key=lambda name: behind[name])


def _mend(
    places: dict[object, str],
    groups: list[Group],
    labels: dict[object, str],
    classes: dict[str, _Class],
    shares: dict[str, float],
) -> None:
    """Give a class the split that it lacks, by a new group that nobody misses where it is.

    Only groups of several classes make this necessary: one class may need such a group in one
    split and the other in another.
    """
    members = [Counter(labels[row] for row in group) for group in groups]
    for label, standing in classes.items():
        for split in (name for name in shares if not standing.filled[name]):
            for group, numbers in zip(reversed(groups), reversed(members), strict=True):
                old = places[group[0]]
                if label in numbers and _spare(numbers, classes, old):
                    places.update(dict.fromkeys(group, split))
                    for name, number in numbers.items():
                        classes[name].filled.update({old: -number, split: number})
                    break


def _spare(members: Counter[str], classes: dict[str, _Class], split: str) -> bool:
    """Whether each class of a group has other pictures in the split where it is."""
    return all(classes[label].filled[split] > number for label, number in members.items())


def _require_whole(classes: dict[str, _Class], bound: set[str], shares: dict[str, float]) -> None:
    """Every split of a class that is placed anew has pictures, else train has.

    Whoever removes pictures may remove all that a split had, and the others do not move.
    """
    for label, standing in classes.items():
        splits, reason = (["train"], STAY) if label in bound else (list(shares), TOGETHER)
        _require_pictures(f"class {label!r}", set(+standing.filled), splits, reason)
