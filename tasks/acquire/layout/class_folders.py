"""Class folders and split folders, read from where pictures lie."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

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

    `deeper` is whether class folders have folders of their own.
    """

    prefix: Folder
    splits: dict[str, str]
    split_below: bool = False
    classes: tuple[str, ...] = ()
    deeper: bool = False

    def label(self, folder: Folder, *, innermost: bool = False) -> str:
        """The class of a picture in this folder; '' where it is in no class folder."""
        below = self._below(folder)
        if below is None:
            return ""
        if self.splits and not self.split_below:
            below = below[1:] if below and below[0] in self.splits else below
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
    return found if "train" in found.values() and len(set(found.values())) > 1 else {}


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
    return FolderTree(
        tree.prefix, tree.splits, tree.split_below, tuple(classes), inner != set(classes)
    )


def are_generic(names: Sequence[str]) -> bool:
    """Whether no name says what is in the pictures: `images`, `part_2`."""
    return all(GENERIC.match(name) for name in names)
