"""The source kind `folders`: class folders, split folders, or pictures beside a table of labels."""

import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from storage import digests
from storage.fingerprints import Fingerprints, readable
from storage.names import suffix_of_name
from storage.statuses import Status
from storage.workspace import Workspace
from tasks.acquire.archives import reading
from tasks.acquire.collection import Collected, collect
from tasks.acquire.files import (
    PICTURE_SUFFIXES,
    Found,
    begins_as_picture,
    bytes_decide,
    no_picture,
    too_many_bytes,
    unwanted,
)
from tasks.acquire.gathering import Gathering
from tasks.acquire.layout.columns import shown
from tasks.acquire.parameters import Archive, Folders
from tasks.acquire.tables.files import TableFile, may_be_table
from tasks.acquire.walking import paths_of

MOST_BESIDE = 1000
MAX_TOTAL_BYTES: int = Archive.model_fields["max_total_bytes"].default


def fetch(workspace: Workspace, source: Folders, *, revisit: bool) -> None:
    """Nothing: the folder is on this disk."""


def fingerprint(workspace: Workspace, source: Folders) -> str:
    """Of every file's name and content; what is no file counts by name."""
    paths = paths_of(source.folder, empty_folders=True)
    files = [path for path in paths if path.is_file()]
    memo = Fingerprints(workspace.fingerprints)
    known = dict(zip(files, memo.of_files(files), strict=True))
    return digests.of_value(
        [(path.relative_to(source.folder).as_posix(), known.get(path, "")) for path in paths]
    )


def rows(source: Folders, gathering: Gathering) -> Collected:
    """Every file of the folder; its name alone is shown: elsewhere it is the same collection."""
    origin = source.folder.resolve().name
    found = collect(listing(source, pictures=True), source, origin, gathering)
    if (found.table["status"] == Status.KEPT).any():
        return found
    return found._replace(remarks=(*found.remarks, *beside(source.folder)))


def beside(folder: Path) -> list[str]:
    """The class folders that this one lies among, where it is one of them itself."""
    above = folder.absolute().parent
    with os.scandir(above) as entries:
        folders = sorted(entry.name for entry in entries if entry.is_dir() and entry.name[0] != ".")
    classes = [name for name in folders[:MOST_BESIDE] if _holds_pictures(above / name)]
    if len(classes) < 2 or folder.absolute().name not in classes:
        return []
    return [
        (
            f"it lies beside {len(classes) - 1} other folders of pictures ({shown(classes, 3)}): "
            f"if those are the classes, say source.folder={above}"
        )
    ]


def _holds_pictures(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(suffix_of_name(entry.name) in PICTURE_SUFFIXES for entry in entries)
    except OSError:
        return False


def listing(source: Folders, *, pictures: bool = False) -> Iterator[Found]:
    """Every file of the folder, and of archives in it where no picture lies beside them."""
    yield from files_of(
        source.folder, max_file_bytes=source.max_file_bytes, pictures=pictures, follow=True
    )


def files_of(
    folder: Path, *, max_file_bytes: int, pictures: bool = True, follow: bool = False
) -> Iterator[Found]:
    """Every file, named relative to `folder`; without `pictures` those are only named.

    Links are followed where the user named the folder; in what strangers put together they are
    set aside.
    """
    paths = paths_of(folder, empty_folders=True, follow=follow)
    packed = follow and not any(suffix_of_name(path.name) in PICTURE_SUFFIXES for path in paths)
    above = len(os.fspath(folder / "x")) - 1
    for path in paths:
        name = os.fspath(path)[above:].replace(os.sep, "/")
        if packed and reading.is_archive(name) and path.is_file():
            yield from _inside(path, name, max_file_bytes, pictures=pictures)
            continue
        with readable(path):
            odd = _odd(path, name, follow=follow) or unwanted(name)
            found = odd or _picture(path, name, max_file_bytes, pictures=pictures)
        yield _with_table(found, path)


def _inside(path: Path, name: str, max_file_bytes: int, *, pictures: bool) -> Iterator[Found]:
    files = reading.files_of(
        path, max_total_bytes=MAX_TOTAL_BYTES, max_file_bytes=max_file_bytes, pictures=pictures
    )
    for found in files:
        yield found.inside(name)


def _odd(path: Path, name: str, *, follow: bool) -> Found | None:
    """The row for what is no file."""
    mode = os.lstat(path).st_mode
    if stat.S_ISREG(mode):
        return None
    if stat.S_ISDIR(mode):
        return Found(f"{name}/", None, Status.EMPTY_FOLDER, "no file is in it")
    if not (follow and stat.S_ISLNK(mode)):
        return Found(name, None, Status.UNSAFE_NAME, "a link or a device, not a file")
    if path.is_file():
        return None
    if path.is_dir():
        reason = "a link in a circle: it leads to a folder above itself"
    else:
        reason = "a link that leads to no file"
    return Found(name, None, Status.UNSAFE_NAME, reason)


def _picture(path: Path, name: str, max_file_bytes: int, *, pictures: bool) -> Found:
    about = path.stat()
    time = datetime.fromtimestamp(int(about.st_mtime), UTC).isoformat()[:19]
    if about.st_size > max_file_bytes:
        return too_many_bytes(name, max_file_bytes)
    if bytes_decide(name) and not begins_as_picture(path):
        return no_picture(name)
    return Found(name, path.read_bytes() if pictures else None, time=time)


def _with_table(found: Found, path: Path) -> Found:
    if found.status is not Status.NOT_A_PICTURE or not may_be_table(found.name):
        return found
    return replace(found, table=TableFile(found.name, path.stat().st_size, path=path))
