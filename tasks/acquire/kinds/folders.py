"""The source kind `folders`: class folders, split folders, or pictures beside a table of labels."""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from storage import digests
from storage.fingerprints import Fingerprints, readable, state_in
from storage.images import ImageStore
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
from tasks.acquire.walking import is_file, names_below

MOST_BESIDE = 1000
MAX_TOTAL_BYTES: int = Archive.model_fields["max_total_bytes"].default


def fetch(workspace: Workspace, source: Folders, *, revisit: bool) -> None:
    """Nothing: the folder is on this disk."""


def fingerprint(workspace: Workspace, source: Folders) -> str:
    """Of every file's name and content; what is no file counts by name."""
    names = names_below(source.folder, empty_folders=True)
    top = f"{source.folder}/"
    files = [name for name in names if is_file(top + name)]
    found = Fingerprints(workspace.fingerprints).of_files([top + name for name in files])
    known = dict(zip(files, found, strict=True))
    return digests.of_value([(name, known.get(name, "")) for name in names])


def rows(source: Folders, gathering: Gathering) -> Collected:
    """Every file of the folder; its name alone is shown: elsewhere it is the same collection.

    What was stored before and has not been touched since is not read.
    """
    origin = source.folder.resolve().name
    known = Fingerprints(gathering.workspace.fingerprints).remembered()
    files = files_of(
        source.folder,
        max_file_bytes=source.max_file_bytes,
        follow=True,
        stored=Stored(gathering.images, known),
    )
    found = collect(files, source, origin, gathering)
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


def listing(source: Folders) -> Iterator[Found]:
    """Every file of the folder, and of archives in it where no picture lies beside them."""
    yield from files_of(
        source.folder, max_file_bytes=source.max_file_bytes, pictures=False, follow=True
    )


class Stored:
    """Which files' bytes are in the image store already: those that are as they were then.

    `known` is what Fingerprints.remembered gives.
    """

    def __init__(self, images: ImageStore, known: Mapping[bytes, tuple[str, str]]) -> None:
        self._images, self._known = images, known

    def name(self, path: str, status: os.stat_result) -> str:
        """The stored name of a file, "" for one that has to be read."""
        state, digest = self._known.get(os.fsencode(path), ("", ""))
        if not digest or state != state_in(status):
            return ""
        return self._images.again(digest, suffix_of_name(path), status.st_size)


def files_of(
    folder: Path,
    *,
    max_file_bytes: int,
    pictures: bool = True,
    follow: bool = False,
    stored: Stored | None = None,
) -> Iterator[Found]:
    """Every file, named relative to `folder`; without `pictures` those are only named.

    Links are followed where the user named the folder; in what strangers put together they are
    set aside. What is `stored` already is not read.
    """
    names = names_below(folder, empty_folders=True, follow=follow)
    packed = follow and not any(suffix_of_name(name) in PICTURE_SUFFIXES for name in names)
    top = f"{folder}/"
    for name in names:
        path = top + name
        if packed and reading.is_archive(name) and is_file(path):
            yield from _inside(Path(path), name, max_file_bytes, pictures=pictures)
            continue
        with readable(path):
            odd = _odd(path, name, follow=follow) or unwanted(name)
            found = odd or _picture(path, name, max_file_bytes, stored, pictures=pictures)
        yield _with_table(found, Path(path)) if found.status is Status.NOT_A_PICTURE else found


def _inside(path: Path, name: str, max_file_bytes: int, *, pictures: bool) -> Iterator[Found]:
    files = reading.files_of(
        path, max_total_bytes=MAX_TOTAL_BYTES, max_file_bytes=max_file_bytes, pictures=pictures
    )
    for found in files:
        yield found.inside(name)


def _odd(path: str, name: str, *, follow: bool) -> Found | None:
    """The row for what is no file."""
    mode = os.lstat(path).st_mode
    if stat.S_ISREG(mode):
        return None
    if stat.S_ISDIR(mode):
        return Found(f"{name}/", None, Status.EMPTY_FOLDER, "no file is in it")
    if not (follow and stat.S_ISLNK(mode)):
        return Found(name, None, Status.UNSAFE_NAME, "a link or a device, not a file")
    if is_file(path):
        return None
    if Path(path).is_dir():
        reason = "a link in a circle: it leads to a folder above itself"
    else:
        reason = "a link that leads to no file"
    return Found(name, None, Status.UNSAFE_NAME, reason)


def _picture(
    path: str, name: str, max_file_bytes: int, stored: Stored | None, *, pictures: bool
) -> Found:
    about = os.stat(path)
    time = datetime.fromtimestamp(int(about.st_mtime), UTC).isoformat()[:19]
    if about.st_size > max_file_bytes:
        return too_many_bytes(name, max_file_bytes)
    if bytes_decide(name) and not begins_as_picture(Path(path)):
        return no_picture(name)
    if stored is not None and (image := stored.name(path, about)):
        return Found(name, time=time, image=image, size=about.st_size)
    return Found(name, Path(path).read_bytes() if pictures else None, time=time)


def _with_table(found: Found, path: Path) -> Found:
    if not may_be_table(found.name):
        return found
    return replace(found, table=TableFile(found.name, path.stat().st_size, path=path))
