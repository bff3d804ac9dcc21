"""Split folder trees: `train/<class>/<file>`, hard-linked to the image store.

A class with more than LARGEST_FOLDER pictures in a split has numbered folders below its own.
"""

import contextlib
import os
import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from storage import elsewhere, folders
from storage.names import as_file_name

# Raised when split trees are stored in another way: what was stored before is made anew.
FORMAT = 1
# With more entries in one folder, file systems and file managers become slow.
LARGEST_FOLDER = 10_000


class Leaf(NamedTuple):
    """One picture of a tree: its split, class, original name and file in the image store."""

    split: str
    label: str
    name: str
    file: Path


def leaf_paths(leaves: Iterable[Leaf]) -> list[str]:
    """Where each leaf goes, relative to the tree; names that collide get their digest in front."""
    leaves = list(leaves)
    taken: set[str] = set()
    folders = _class_folders(leaf.label for leaf in leaves)
    sizes = Counter((leaf.split, leaf.label) for leaf in leaves)
    seen: Counter[tuple[str, str]] = Counter()
    paths = []
    for leaf in leaves:
        name = f"{as_file_name(Path(leaf.name).stem)}{leaf.file.suffix}"
        kind = leaf.split, leaf.label
        folder = f"{leaf.split}/{folders[leaf.label]}"
        if sizes[kind] > LARGEST_FOLDER:
            folder += f"/{seen[kind] // LARGEST_FOLDER:03}"
            seen[kind] += 1
        path = f"{folder}/{name}"
        while path.casefold() in taken:
            name = f"{leaf.file.stem[:16]}-{name}"
            path = f"{folder}/{name}"
        taken.add(path.casefold())
        paths.append(path)
    return paths


def _class_folders(labels: Iterable[str]) -> dict[str, str]:
    """Each label's folder, the same in all splits; no two share one, whatever the file system."""
    folders: dict[str, str] = {}
    taken: set[str] = set()
    for label in dict.fromkeys(labels):
        name = as_file_name(label)
        while name.casefold() in taken:
            name += "_"
        taken.add(name.casefold())
        folders[label] = name
    return folders


def grow(target: Path, leaves: list[Leaf], splits: Iterable[str]) -> None:
    """Make the tree at `target`, at once or not at all; every split folder exists."""
    elsewhere.fetch_all(leaf.file for leaf in leaves)
    with folders.new_folder(target) as root:
        for split in splits:
            (root / split).mkdir()
        for leaf, path in zip(leaves, leaf_paths(leaves), strict=True):
            _link(leaf.file, root / path)


def is_whole(target: Path, leaves: list[Leaf]) -> bool:
    """Whether every picture is where the tree should have it (none is opened)."""
    wanted = leaf_paths(leaves)
    present: set[str] = set()
    for folder in {path.rpartition("/")[0] for path in wanted}:
        present.update(f"{folder}/{entry.name}" for entry in _children(target / folder))
    return present >= set(wanted)


def _children(folder: Path) -> list[os.DirEntry[str]]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        return list(entries)
    return []


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except FileExistsError:
        raise  # copying over a link would write into the image store
    except OSError:
        # Another file system, or one without links: a copy serves as well, at twice the space.
        shutil.copyfile(source, target)
