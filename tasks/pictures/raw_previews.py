"""Camera raw files: the largest JPEG that lies in one is what the camera showed of it."""

import io
import re
from typing import Any

from tasks.pictures import jpeg

STARTS = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\x00")
CANON_2 = b"CR"  # at 8, in a TIFF
CANON_3 = b"ftypcrx "  # at 4
JPEG_START = re.compile(rb"\xff\xd8\xff[\xc0-\xfe]")
MOST_LOOKED_AT = 32
# A raw TIFF's first picture is a small one, and says so; the others lie below it.
DNG_VERSION, IS_REDUCED, SUB_PICTURES, PREVIEW = 50706, 254, 330, 513
# The lossless kind is the sensor's own data.
LOSSLESS = b"\xff\xc3"


def is_raw(data: bytes) -> bool:
    """Whether these are the bytes of a camera's raw file, TIFFs aside."""
    return (
        data.startswith(STARTS)
        or data[4:12] == CANON_3
        or (data[:4] in (b"II*\x00", b"MM\x00*") and data[8:10] == CANON_2)
    )


def is_raw_tiff(tags: Any) -> bool:
    """Whether the tags of a TIFF are those of a raw file (DNG, NEF, ARW)."""
    below = SUB_PICTURES in tags or PREVIEW in tags
    return DNG_VERSION in tags or (tags.get(IS_REDUCED) == 1 and below)


def preview(data: bytes) -> bytes | None:
    """The largest whole JPEG in a file, by its pixels; None if there is none."""
    from PIL import Image

    best, most = None, 0
    for number, start in enumerate(JPEG_START.finditer(data)):
        if number == MOST_LOOKED_AT:
            break
        end = jpeg.end_of(data, start.start())
        if end is None:
            continue
        found = data[start.start() : end]
        try:
            with Image.open(io.BytesIO(found)) as image:
                pixels = image.width * image.height
        except (OSError, ValueError, SyntaxError):
            continue
        if pixels > most and LOSSLESS not in found[:4096]:
            best, most = found, pixels
    return best
