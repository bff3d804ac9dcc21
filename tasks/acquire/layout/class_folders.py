"""Class folders and split folders, read from where pictures lie."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tasks.acquire.layout import split_words

# Folders on the way to the classes may hold so few pictures themselves.
STRAYS = 0.05
# Names that say nothing of a class.
GENERIC = re.compile(
    r"^(train|training|test|testing|val|valid|validation|dev|images?|imgs?|pictures?|pics|photos?|"
    r"jpe?gs?|pngs?|data|dataset|files|part|batch|raw|all|.*[-_ ]part|.*[-_ ]images)[-_ ]?\d*$",
    re.IGNORECASE,
)

Folder = tuple[str, ...]


@dataclass(frozen=True)
class FolderTree:
    """Where the class folders lie: below `prefix`, and below or above split folders, if any.

    `deeper` is whether class folders have folders of their own, `inner` the names of those where
    all class folders have the same ones: then either may be the classes.
    """

    prefix: Folder
    splits: dict[str, str]
    split_below: bool = False
    classes: tuple[str, ...] = ()
    deeper: bool = False
    inner: tuple[str, ...] = ()

    def label(self, folder: Folder, *, innermost: bool = False) -> str:
        """The class of a picture in this folder; '' where it is in no class folder."""
        below = self._below(folder)
        if below is None:
            return ""
        if self.splits and not self.split_below:
            split = below[0] if below and below[0] in self.splits else None
            # Some are packed as `train/train`.
            below = () if split is None else below[2 if below[1:2] == (split,) else 1 :]
        elif self.splits:
            below = tuple(part for part in below[:1]) + tuple(below[2:])
        if not below:
            return ""
        return below[-1] if innermost else below[0]

    def split(self, folder: Folder) -> str:
        """The split of a picture in this folder, as the folders say; '' for none."""
        below = self._below(folder)
        place = 1 if self.split_below else 0
        if below is None or len(below) <= place:
            return ""
        return self.splits.get(below[place], "")

    def _below(self, folder: Folder) -> Folder | None:
        depth = len(self.prefix)
        return folder[depth:] if folder[:depth] == self.prefix else None


def read(folders: Sequence[Folder]) -> FolderTree:
    """The tree of the folders that pictures lie in, one entry a picture."""
    counts = Counter(folders)
    prefix: Folder = ()
    while True:
        direct, children = _children(counts, prefix)
        total = sum(children.values())
        splits = _splits(children)
        if splits or len(children) != 1 or direct > STRAYS * total:
            break
        (only,) = children
        if not _children(counts, (*prefix, only))[1]:
            break  # the last folder on the way is the one class there is
        prefix = (*prefix, only)
    if splits:
        return _with_classes(FolderTree(prefix, splits), counts)
    below = _splits_below(counts, prefix)
    if below:
        return _with_classes(FolderTree(prefix, below, split_below=True), counts)
    return _with_classes(FolderTree(prefix, {}), counts)


def _children(counts: Counter[Folder], prefix: Folder) -> tuple[int, Counter[str]]:
    """Pictures in the folder itself, and in each of its folders with all that is below."""
    depth = len(prefix)
    children: Counter[str] = Counter()
    for folder, number in counts.items():
        if folder[:depth] == prefix and len(folder) > depth:
            children[folder[depth]] += number
    return counts[prefix], children


def _splits(children: Counter[str]) -> dict[str, str]:
    """Folder -> split, where two folders at least are called after different splits."""
    found = {name: split_words.of_folder(name) for name in children}
    found = {name: split for name, split in found.items() if split}
    if not _are_splits(found):
        found = split_words.with_one_more_word(children)
    return found if _are_splits(found) else {}


def _are_splits(found: dict[str, str]) -> bool:
    return "train" in found.values() and len(set(found.values())) > 1


def _splits_below(counts: Counter[Folder], prefix: Folder) -> dict[str, str]:
    """The same where every class folder holds split folders."""
    depth = len(prefix)
    names: Counter[str] = Counter()
    for folder, number in counts.items():
        if folder[:depth] == prefix and len(folder) > depth:
            names[folder[depth + 1] if len(folder) > depth + 1 else ""] += number
    found = _splits(names)
    return found if set(names) == set(found) else {}


def _with_classes(tree: FolderTree, counts: Counter[Folder]) -> FolderTree:
    classes = sorted({tree.label(folder) for folder in counts} - {""})
    inner = {tree.label(folder, innermost=True) for folder in counts} - {""}
    below: dict[str, set[str]] = {}
    for folder in counts:
        below.setdefault(tree.label(folder), set()).add(tree.label(folder, innermost=True))
    below.pop("", None)
    sets = {frozenset(names) for names in below.values()}
    same = next(iter(sets)) if len(below) > 1 and len(sets) == 1 else frozenset()
    return replace(
        tree, classes=tuple(classes), deeper=inner != set(classes),
        inner=tuple(sorted(same)) if len(same) > 1 else (),
    )  # fmt: skip


def are_generic(names: Sequence[str]) -> bool:
    """Whether no name says what is in the pictures: `images`, `part_2`."""
    return all(GENERIC.match(name) for name in names)
