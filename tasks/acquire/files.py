"""What every source yields: one `Found` per file, usable or not."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from storage.images import UNKNOWN_SUFFIX, suffix_of
from storage.names import suffix_of_name
from storage.statuses import Status
from tasks.acquire.said import Said
from tasks.acquire.tables.files import TableFile

PICTURE_SUFFIXES = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".gif", ".bmp", ".dib", ".webp"),
        *(".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".avif", ".jp2", ".jxl"),
        # what phones write, and raw files, whose preview counts
        *(".heic", ".heif", ".hif", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2"),
    }
)
# What may hold a picture, but is none that can be learned from as it is.
TO_BE_CONVERTED = {
    ".psd": "PSD cannot be read: convert it to PNG",
    ".dcm": "DICOM cannot be read: convert it to PNG, with the window that shows what matters",
    ".dicom": "DICOM cannot be read: convert it to PNG",
    ".nii": "NIfTI cannot be read: save its slices as PNG",
    ".npy": "an array, not a picture: save it as PNG",
    ".npz": "arrays, not a picture: save them as PNG",
    ".svg": "a drawing, not pixels: convert it to PNG",
    ".mp4": "a video: save its frames as JPEG",
    ".mov": "a video: save its frames as JPEG",
    ".avi": "a video: save its frames as JPEG",
}
# What is certainly no picture; the bytes of a file with another suffix, or without one, decide.
OTHER_SUFFIXES = frozenset(
    {
        *(".txt", ".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".xml", ".yaml", ".yml", ".xlsx"),
        *(".xls", ".md", ".rst", ".html", ".htm", ".pdf", ".doc", ".docx", ".py", ".ipynb", ".js"),
        *(
            ".lst",
            ".names",
            ".zip",
            ".tar",
            ".gz",
            ".tgz",
            ".bz2",
            ".xz",
            ".7z",
            ".rar",
            ".parquet",
            ".tfrecord",
        ),
        *(".mat", ".h5", ".hdf5", ".pkl", ".pickle", ".cls", ".db", ".sqlite", ".log", ".exe"),
    }
)
SYSTEM_NAMES = frozenset({"__MACOSX", "@eaDir", ".DS_Store", "Thumbs.db", "desktop.ini"})
# One dot and then a name; two dots are somebody's way of writing, or of leaving a folder.
HIDDEN = re.compile(r"\.[^.]")
# So many first bytes tell a picture.
HEAD = 32
NO_SUFFIX = "its name has no picture suffix"


@dataclass(frozen=True, slots=True)
class Found:
    """A file of a source: its name there, its bytes if they are wanted, what is wrong with it.

    A picture without bytes was not read, or is stored already: then `image` is its stored name and
    `size` its bytes. `inner` is the archive inside the source that holds it, ''
    if none; names, and so labels, are what they are in there. `said` is what a container says of
    the picture, `table` the file where it may be a table, `time` when it was written, if asked for.
    """

    name: str
    data: bytes | None = None
    status: Status = Status.KEPT
    reason: str = ""
    inner: str = ""
    said: Said | None = None
    table: TableFile | None = None
    time: str = ""
    image: str = ""
    size: int = 0

    def inside(self, archive: str) -> Self:
        """The same file, as one of an archive that lies in the source."""
        return replace(self, inner=f"{archive}/{self.inner}" if self.inner else archive)


def unwanted(name: str) -> Found | None:
    """The row for a name that tells that its file cannot be a picture; None if it may be one."""
    flat = name.replace("\\", "/")
    parts = flat.split("/")
    if not SYSTEM_NAMES.isdisjoint(parts):
        return Found(name, None, Status.SYSTEM_FILE, "made by an operating system")
    if "/." in f"/{flat}" and any(map(HIDDEN.match, parts)):
        return Found(name, None, Status.SYSTEM_FILE, "its name, or that of a folder, is hidden")
    suffix = suffix_of_name(name)
    if suffix in TO_BE_CONVERTED:
        return Found(name, None, Status.UNDECODABLE, TO_BE_CONVERTED[suffix])
    if suffix in OTHER_SUFFIXES:
        return Found(name, None, Status.NOT_A_PICTURE, NO_SUFFIX)
    return None


def bytes_decide(name: str) -> bool:
    """Whether only the first bytes tell if the file is a picture: its name does not."""
    return suffix_of_name(name) not in PICTURE_SUFFIXES


def looks_like_picture(head: bytes) -> bool:
    """Whether these first bytes are a picture's."""
    return suffix_of(head) not in (UNKNOWN_SUFFIX, ".bmp")


def too_many_bytes(name: str, limit: int) -> Found:
    """The row for a file with more bytes than a picture may have."""
    reason = f"more than source.max_file_bytes ({limit:,})"
    return Found(name, None, Status.TOO_MANY_BYTES, reason)


def begins_as_picture(path: Path) -> bool:
    """Whether the first bytes of a file on this disk are a picture's."""
    with path.open("rb") as stream:
        return looks_like_picture(stream.read(HEAD))


def no_picture(name: str) -> Found:
    """The row for a file that neither its name nor its bytes make a picture."""
    return Found(name, None, Status.NOT_A_PICTURE, f"{NO_SUFFIX}, and its bytes are none")


def is_unsafe(name: str) -> bool:
    """Whether a name would leave the folder it is unpacked into: `../`, absolute, drive letters."""
    flat = name.replace("\\", "/")
    return flat.startswith("/") or bool(re.match(r"[A-Za-z]:", flat)) or ".." in flat.split("/")
