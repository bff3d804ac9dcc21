"""When and with which camera a picture was taken, as its EXIF says."""

import warnings
from datetime import datetime
from typing import NamedTuple

from tasks.pictures.decoding import DAMAGED

MAKE, MODEL, CHANGED = 0x010F, 0x0110, 0x0132
EXIF_PART, TAKEN, SERIAL = 0x8769, 0x9003, 0xA431
FORM = "%Y:%m:%d %H:%M:%S"


class Taken(NamedTuple):
    """ISO time without a zone, as the camera's clock had it, and the camera; '' for unknown."""

    time: str = ""
    camera: str = ""


def taken(exif: bytes) -> Taken:
    """What EXIF says; nothing where it is missing or damaged."""
    if not exif:
        return Taken()
    from PIL import Image

    tags = Image.Exif()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tags.load(exif)
            below = tags.get_ifd(EXIF_PART)
            written = str(below.get(TAKEN) or tags.get(CHANGED) or "")
            parts = (tags.get(MAKE), tags.get(MODEL), below.get(SERIAL))
    except DAMAGED:
        return Taken()
    camera = " ".join(str(part).strip("\0 ") for part in parts if part)[:200]
    return Taken(_iso(written), camera)


def _iso(written: str) -> str:
    try:
        return datetime.strptime(written.strip("\0 ")[:19], FORM).isoformat()  # noqa: DTZ007
    except ValueError:
        return ""
