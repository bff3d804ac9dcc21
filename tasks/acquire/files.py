"""What every source yields: one `Found` per file, usable or not."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from storage.statuses import Status

PICTURE_SUFFIXES = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".dib", ".webp"),
        *(".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".avif", ".jp2"),
    }
)
# What cameras and phones write, and neither OpenCV nor Pillow reads.
FOREIGN_SUFFIXES = frozenset(
    {
        ".heic",
        ".heif",
        ".hif",
        ".dng",
        ".cr2",
        ".cr3",
        ".nef",
        ".arw",
        ".raf",
        ".orf",
        ".rw2",
        ".psd",
    }
)
SYSTEM_NAMES = frozenset({"__MACOSX", "@eaDir", ".DS_Store", "Thumbs.db", "desktop.ini"})
# One dot and then a name; two dots are somebody's way of writing, or of leaving a folder.
HIDDEN = re.compile(r"\.[^.]")


@dataclass(frozen=True)
class Found:
    """A file of a source: its name there, its bytes if they are wanted, what is wrong with it.

    `inner` is the archive inside the source that holds it, '' if none; names, and so labels, are
    what they are in there.
    """

    name: str
    data: bytes | None = None
    status: Status = Status.KEPT
    reason: str = ""
    inner: str = ""


def unwanted(name: str) -> Found | None:
    """The row for a name that tells that its file cannot be a picture; None if it may be one."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if SYSTEM_NAMES.intersection(parts):
        return Found(name, None, Status.SYSTEM_FILE, "made by an operating system")
    if any(HIDDEN.match(part) for part in parts):
        return Found(name, None, Status.SYSTEM_FILE, "its name, or that of a folder, is hidden")
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in FOREIGN_SUFFIXES:
        kind = suffix[1:].upper()
        return Found(name, None, Status.UNDECODABLE, f"{kind} cannot be read: convert it to JPEG")
    if suffix not in PICTURE_SUFFIXES:
        return Found(name, None, Status.NOT_A_PICTURE, "its name has no picture suffix")
    return None


def is_unsafe(name: str) -> bool:
    """Whether a name would leave the folder it is unpacked into: `../`, absolute, drive letters."""
    flat = name.replace("\\", "/")
    return flat.startswith("/") or bool(re.match(r"[A-Za-z]:", flat)) or ".." in flat.split("/")
