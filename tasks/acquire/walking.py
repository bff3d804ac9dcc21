"""The files below a folder, found without being led in a circle."""

import os
import stat
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from storage.errors import SourceMissing
from storage.fingerprints import readable


def paths_of(folder: Path, *, follow: bool = True) -> list[Path]:
    """Every file below `folder`, sorted; links are followed if wanted."""
    return [folder / name for name in names_below(folder, follow=follow)]


def names_below(folder: Path, *, empty_folders: bool = False, follow: bool = True) -> Sequence[str]:
    """The names of every file below `folder`, relative to it, sorted folder by folder.

    Links are followed if wanted, also to folders; one that leads back to a folder above it, or
    nowhere, counts as a file. Texts, since hundreds of thousands of paths take seconds to make.
    """
    if not folder.is_dir():
        raise SourceMissing(_no_folder(folder.absolute()))
    found: list[str] = []
    top = os.fspath(folder)
    above: dict[str, frozenset[str]] = {top: frozenset({os.path.realpath(folder)})}
    for root, folders, files in os.walk(folder, onerror=_refuse, followlinks=follow):
        folders.sort()
        links = [name for name in folders if Path(root, name).is_symlink()]
        real = above.pop(root)
        if follow:
            links = [name for name in links if os.path.realpath(Path(root, name)) in real]
        folders[:] = [name for name in folders if name not in links]
        for name in folders:
            below = os.fspath(Path(root, name))
            above[below] = real | {os.path.realpath(below)} if follow else real
        inside = "" if root == top else f"{os.path.relpath(root, top)}/".replace(os.sep, "/")
        if empty_folders and not folders and not files and not links and inside:
            found.append(inside[:-1])
        found += [inside + name for name in sorted([*files, *links])]
    return found


def _no_folder(folder: Path) -> str:
    """What is wrong with a folder that is none, and what may have been meant."""
    if folder.is_file():
        words = f"--set source.kind=archive --set source.archive={folder}"
        return (
            f"expected a folder of class folders at {folder}, found a file. Of a zip or tar, say "
            f"{words}"
        )
    there = folder.parent.iterdir() if folder.parent.is_dir() else []
    close = get_close_matches(folder.name, [one.name for one in there if one.is_dir()], n=1)
    hint = f"; did you mean {folder.parent / close[0]}?" if close else ""
    return (
        f"expected a folder of class folders at {folder}, found none{hint}: say where it is with "
        "--set source.folder=PATH"
    )


def _refuse(error: OSError) -> None:
    with readable(Path(error.filename)):
        raise error


def is_file(path: str) -> bool:
    """Whether a file is there, or a link to one: Path.is_file without making a path."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def is_plain(path: Path) -> bool:
    """Whether it is a file: no link, no folder, no pipe that would have to be waited for."""
    return stat.S_ISREG(os.lstat(path).st_mode)
