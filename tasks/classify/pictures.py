"""The pictures that are to be classified: files, folders and archives as one sequence.

A folder is gone through with its folders, in natural order; an archive in its own order, zips
inside zips included, without unpacking and within the limits that sources have. Hidden files, what
operating systems leave behind and files without a picture's suffix are passed over. Nothing is read
before it is wanted, except from archives, which give their files as they come.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from storage.errors import SourceDamaged, SourceMissing, SourceTooLarge
from storage.names import one_line
from storage.statuses import IGNORED, Status
from tasks.acquire.archives import reading
from tasks.acquire.files import Found, begins_as_picture, bytes_decide, unwanted
from tasks.acquire.natural_order import natural_key
from tasks.acquire.parameters import Archive
from tasks.acquire.walking import is_plain, paths_of

ARCHIVE_SUFFIXES = (
    ".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz",
)  # fmt: skip
MAX_FILE_BYTES: int = Archive.model_fields["max_file_bytes"].default
MAX_TOTAL_BYTES: int = Archive.model_fields["max_total_bytes"].default
NAMES_SHOWN = 10


@dataclass(frozen=True)
class Picture:
    """A file that ought to be a picture.

    `name` is what it is called to people, `place` where it is within the folder or archive that was
    given, `inner` the archive within that archive that holds it, `folder` the name of the folder
    that holds it. Either its bytes are there, or the path to read them from, or the reason why
    neither is.
    """

    name: str
    place: PurePosixPath
    folder: str
    data: bytes | None = None
    path: Path | None = None
    reason: str = ""
    inner: str = ""

    def read(self) -> bytes | str:
        """The bytes, or why there are none."""
        if self.data is not None:
            return self.data
        return self.reason if self.path is None else _read(self.path)


@dataclass
class Pictures:
    """What `paths` hold; iterating again reads again.

    `only` is how places must begin, those in archives inside archives with these or without. An
    archive that is damaged or too large gives what comes before that, and one row with the reason;
    where `whole` ones are wanted it is an error.
    """

    paths: Sequence[Path]
    only: str = ""
    whole: bool = False
    passed_over: int = field(default=0, init=False)

    def __iter__(self) -> Iterator[Picture]:
        """Picture by picture; SourceMissing if there is not one."""
        self.passed_over = 0
        others: set[str] = set()
        nothing = True
        for path in self.paths:
            for picture in self._of(path, others):
                nothing = False
                yield picture
        if nothing:
            raise SourceMissing(self._missing(others))

    def check(self) -> None:
        """SourceMissing if a path leads nowhere."""
        missing = [_shown(path) for path in self.paths if not os.path.exists(path)]  # noqa: PTH110
        if missing:
            raise SourceMissing(
                f"expected pictures at {one_line(', '.join(missing))}, found nothing there: name "
                "pictures, folders of pictures, zips or tars that exist"
            )

    def count(self) -> int | None:
        """How many there are; None where an archive would have to be read to know."""
        if any(_is_archive(path) for path in self.paths):
            return None
        return sum(1 for _ in self)

    def _of(self, path: Path, others: set[str]) -> Iterator[Picture]:
        if path.is_dir():
            yield from (_judged(one) for one in _of_folder(path) if self._wanted(one, others))
        elif _is_archive(path):
            yield from self._of_archive(path, others)
        else:
            yield replace(_given(path), path=path)

    def _of_archive(self, path: Path, others: set[str]) -> Iterator[Picture]:
        try:
            yield from (_judged(one) for one in _of_archive(path) if self._wanted(one, others))
        except (SourceDamaged, SourceTooLarge) as error:
            if self.whole:
                raise
            yield replace(_given(path), reason=str(error))

    def _wanted(self, picture: Picture, others: set[str]) -> bool:
        place = picture.place.as_posix()
        within = f"{picture.inner}/{place}" if picture.inner else place
        if not place.startswith(self.only) and not within.startswith(self.only):
            others.add(within.partition("/")[0])
            return False
        hidden = any(part.startswith(".") and part != ".." for part in picture.place.parts)
        refused = unwanted(place)
        if hidden or (refused.status in IGNORED if refused else _is_other(picture)):
            self.passed_over += not hidden
            return False
        return True

    def _missing(self, others: set[str]) -> str:
        where = one_line(", ".join(map(_shown, self.paths)))
        if not others:
            return (
                f"expected pictures at {where}, found none: name pictures, folders of pictures, "
                "zips or tars"
            )
        found = one_line(", ".join(sorted(others, key=natural_key)[:NAMES_SHOWN]))
        return (
            f"expected pictures whose path in {where} begins with {self.only!r}, found none: "
            f"there is {found}"
        )


def _judged(picture: Picture) -> Picture:
    """With the reason for which pictures of its format cannot be read, if they cannot."""
    refused = unwanted(picture.place.as_posix())
    if refused is None:
        return picture
    return replace(picture, data=None, path=None, reason=f"{refused.status}: {refused.reason}")


def _is_other(picture: Picture) -> bool:
    """Whether the bytes of a file whose name does not tell are those of no picture."""
    if picture.path is None or not bytes_decide(picture.place.as_posix()):
        return picture.reason.startswith(Status.NOT_A_PICTURE)
    try:
        return not begins_as_picture(picture.path)
    except OSError:
        return True


def _is_archive(path: Path) -> bool:
    return path.name.lower().endswith(ARCHIVE_SUFFIXES) and path.is_file()


def _given(path: Path) -> Picture:
    """What was named itself, without its bytes."""
    folder = _shown(path.absolute().parent.name)
    return Picture(_shown(path), PurePosixPath(_shown(path.name)), folder)


def _of_folder(folder: Path) -> Iterator[Picture]:
    paths = [(path.relative_to(folder).as_posix(), path) for path in paths_of(folder, follow=False)]
    for relative, path in sorted(paths, key=lambda pair: natural_key(pair[0])):
        name, place = _shown(path), PurePosixPath(_shown(relative))
        holder = _shown(path.absolute().parent.name)
        if _is_special(path):
            yield Picture(name, place, holder, reason="a link or a device, not a file")
        else:
            yield Picture(name, place, holder, path=path)


def _is_special(path: Path) -> bool:
    try:
        return not is_plain(path)
    except OSError:  # it has gone since the folder was listed: reading it will say so
        return False


def _of_archive(path: Path) -> Iterator[Picture]:
    try:
        for found in reading.files_of(
            path, max_total_bytes=MAX_TOTAL_BYTES, max_file_bytes=MAX_FILE_BYTES
        ):
            yield _of_found(path, found)
    except OSError as error:
        raise SourceDamaged(
            f"{path} cannot be read ({error.strerror}): expected an archive that opens. Look at "
            "its rights, or leave it out"
        ) from error
    except SourceTooLarge as error:
        raise SourceTooLarge(
            f"{path} unpacks to more than {MAX_TOTAL_BYTES:,} bytes: expected an archive of "
            "pictures, found what may be a decompression bomb. If it is genuine, unpack it and "
            "name its folder"
        ) from error


def _of_found(path: Path, found: Found) -> Picture:
    place = PurePosixPath(_shown(found.name))
    inner = _shown(found.inner)
    return Picture(
        name="/".join(part for part in (_shown(path), inner, str(place)) if part),
        place=place,
        folder=place.parent.name,
        data=found.data,
        reason="" if found.data is not None else f"{found.status}: {found.reason}",
        inner=inner,
    )


def _read(path: Path) -> bytes | str:
    try:
        # Opening a pipe would wait for whoever writes to it.
        if not stat.S_ISREG(os.stat(path).st_mode):
            return "not a file"
        with path.open("rb") as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        return error.strerror or str(error)
    return data if len(data) <= MAX_FILE_BYTES else f"more than {MAX_FILE_BYTES:,} bytes"


def _shown(path: str | Path) -> str:
    """A path as text: a file's name need not be any, and what is not becomes a question mark."""
    return str(path).encode("utf-8", errors="replace").decode("utf-8")
