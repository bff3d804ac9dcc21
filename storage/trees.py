"""Split folder trees: `train/<class>/<file>`, hard-linked to the image store."""

import contextlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from storage import atomic
from storage.names import as_file_name


class Leaf(NamedTuple):
    """One picture of a tree: its split, class, original name and file in the image store."""

    split: str
    label: str
    name: str
    file: Path


def leaf_paths(leaves: Iterable[Leaf]) -> list[str]:
    """Where each leaf goes, relative to the tree; names that collide get their digest in front."""
    taken: set[str] = set()
    folders: dict[tuple[str, str], str] = {}
    paths = []
    for leaf in leaves:
        folder = folders.setdefault((leaf.split, leaf.label), _folder(leaf, set(folders.values())))
        path = f"{folder}/{as_file_name(Path(leaf.name).stem)}{leaf.file.suffix}"
        if path.casefold() in taken:
            path = f"{folder}/{leaf.file.stem[:16]}-{Path(path).name}"
        taken.add(path.casefold())
        paths.append(path)
    return paths


def _folder(leaf: Leaf, taken: set[str]) -> str:
    name = f"{leaf.split}/{as_file_name(leaf.label)}"
    while name in taken:
        name += "_"
    return name


def grow(target: Path, leaves: list[Leaf], splits: Iterable[str]) -> None:
    """Make the tree at `target`, at once or not at all; every split folder exists."""
    with atomic.new_folder(target) as root:
        for split in splits:
            (root / split).mkdir()
        for leaf, path in zip(leaves, leaf_paths(leaves), strict=True):
            _link(leaf.file, root / path)


def is_whole(target: Path, leaves: list[Leaf]) -> bool:
    """Whether every picture is where the tree should have it (none is opened)."""
    present = {
        f"{split.name}/{folder.name}/{entry.name}"
        for split in _children(target)
        for folder in _children(Path(split.path))
        for entry in _children(Path(folder.path))
    }
    return present >= set(leaf_paths(leaves))


def _children(folder: Path) -> list[os.DirEntry[str]]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        return list(entries)
    return []


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        # Another file system, or one without links: a copy serves as well, at twice the space.
        shutil.copyfile(source, target)
