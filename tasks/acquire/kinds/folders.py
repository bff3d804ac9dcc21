"""The source kind `folders`: a folder with one folder of pictures per class."""

import os
import stat
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

import pandas as pd

from storage import digests
from storage.errors import SourceMissing
from storage.fingerprints import Fingerprints, readable
from storage.statuses import Status
from storage.workspace import Workspace
from tasks.acquire import labels
from tasks.acquire.collection import collect
from tasks.acquire.files import Found, unwanted
from tasks.acquire.gathering import Gathering
from tasks.acquire.parameters import Folders


def fetch(workspace: Workspace, source: Folders, *, revisit: bool) -> None:
    """Nothing: the folder is on this disk."""


def fingerprint(workspace: Workspace, source: Folders) -> str:
    """Of every file's name and content; links and devices count by name."""
    paths = paths_of(source.folder, empty_folders=True)
    files = [path for path in paths if is_plain(path)]
    memo = Fingerprints(workspace.fingerprints)
    known = dict(zip(files, memo.of_files(files), strict=True))
    return digests.of_value(
        [(path.relative_to(source.folder).as_posix(), known.get(path, "")) for path in paths]
    )


def rows(source: Folders, gathering: Gathering) -> tuple[str, pd.DataFrame]:
    """Every file of the folder; its name alone is shown: elsewhere it is the same collection."""
    origin = source.folder.resolve().name
    files = files_of(source.folder, max_file_bytes=source.max_file_bytes)
    label_of = labels.trimmed(labels.by_first_folder)
    return origin, collect(files, label_of, origin, gathering.images, gathering.advance)


def paths_of(folder: Path, *, empty_folders: bool = False) -> list[Path]:
    """Every file below `folder`, sorted; links count as files and are not followed out of it."""
    if not folder.is_dir():
        raise SourceMissing(_no_folder(folder.absolute()))
    found = []
    for root, folders, files in os.walk(folder, onerror=_refuse, followlinks=False):
        folders.sort()
        links = [name for name in folders if Path(root, name).is_symlink()]
        if empty_folders and not folders and not files and Path(root) != folder:
            found.append(Path(root))
        found += [Path(root, name) for name in sorted([*files, *links])]
    return found


def _no_folder(folder: Path) -> str:
    """What is wrong with a folder that is none, and what may have been meant."""
    if folder.is_file():
        words = f"--set source.kind=archive --set source.archive={folder}"
        return (
            f"expected a folder of class folders at {folder}, found a file. Of a zip or tar, say "
            f"{words} (with --set source.label_from=folder if it holds class folders)"
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


def is_plain(path: Path) -> bool:
    """Whether it is a file: no link, no folder, no pipe that would have to be waited for."""
    return stat.S_ISREG(os.lstat(path).st_mode)


def files_of(folder: Path, *, max_file_bytes: int) -> Iterator[Found]:
    """Every file, named relative to `folder`."""
    for path in paths_of(folder, empty_folders=True):
        name = path.relative_to(folder).as_posix()
        with readable(path):
            odd = _empty(path, name) or _not_plain(path, name) or unwanted(name)
            found = odd or _picture(path, name, max_file_bytes)
        yield found


def _empty(path: Path, name: str) -> Found | None:
    if path.is_symlink() or not path.is_dir():
        return None
    return Found(f"{name}/", None, Status.EMPTY_FOLDER, "no file is in it")


def _not_plain(path: Path, name: str) -> Found | None:
    if is_plain(path):
        return None
    return Found(name, None, Status.UNSAFE_NAME, "a link or a device, not a file")


def _picture(path: Path, name: str, max_file_bytes: int) -> Found:
    if path.stat().st_size > max_file_bytes:
        reason = f"more than source.max_file_bytes ({max_file_bytes:,})"
        return Found(name, None, Status.TOO_MANY_BYTES, reason)
    return Found(name, path.read_bytes())
