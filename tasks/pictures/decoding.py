"""Bytes to pixels, with OpenCV, never trusting the bytes.

The header is read first (Pillow does not decode for that), so that a picture with too many pixels
is turned down before any memory is asked for.
"""

import io
import re
import struct
import warnings
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from storage.statuses import Status
from tasks.pictures.opencv import cv2
from tasks.pictures.parameters import MAX_PIXELS

# What Pillow's many readers raise on bytes that they did not expect.
DAMAGED = (
    OSError, ValueError, SyntaxError, EOFError, TypeError, AttributeError, LookupError,
    ArithmeticError, RuntimeError, struct.error, zlib.error,
)  # fmt: skip
# The next mark of a JPEG. Inside a scan FF is followed by 00 or a restart mark, which are data.
JPEG_MARK = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
END_OF_JPEG, START_OF_JPEG = b"\xd9", b"\xd8"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_DEPTH = 24  # the place of the byte that says how many bits a channel has
PNG_CHUNK_FRAME = 12  # bytes around a chunk's data: its length, its kind, its checksum
HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"})
EXIF_ORIENTATION = 0x0112
ROWS_AT_A_TIME = 256
# Formats whose EXIF rotation OpenCV leaves out, always or when it keeps transparency.
NOT_TURNED = frozenset({"AVIF"})
NOT_TURNED_WITH_ALPHA = NOT_TURNED | {"PNG", "WEBP"}
# Orientation -> steps through rows and columns (-1 is backwards), for 5 to 8 after transposing.
ROWS_AND_COLUMNS = {2: (1, -1), 3: (-1, -1), 4: (-1, 1), 6: (1, -1), 7: (-1, -1), 8: (-1, 1)}


@dataclass(frozen=True)
class Header:
    """What a picture says of itself before it is decoded."""

    format: str
    width: int
    height: int
    has_alpha: bool
    exif: bytes = b""


@dataclass(frozen=True)
class Problem:
    """Why a picture cannot be used."""

    status: Status
    reason: str


def read_header(data: bytes, max_pixels: int = MAX_PIXELS) -> Header | Problem:
    """Format and size; a Problem for empty, unknown, truncated or oversized pictures."""
    from PIL import Image, UnidentifiedImageError

    if not data:
        return Problem(Status.EMPTY, "0 bytes")
    Image.MAX_IMAGE_PIXELS = None  # `max_pixels` is the limit, and opening decodes nothing
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data)) as image:
                has_alpha = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
                exif = image.info.get("exif", b"")
                header = Header(image.format or "?", image.width, image.height, has_alpha, exif)
    except UnidentifiedImageError:
        return Problem(Status.UNDECODABLE, _what_it_is(data))
    except DAMAGED as error:
        return Problem(Status.UNDECODABLE, f"its header is damaged: {error}")
    if header.width * header.height > max_pixels:
        return Problem(Status.TOO_MANY_PIXELS, f"{header.width} x {header.height}")
    if header.format in CUT_OFF and CUT_OFF[header.format](data):
        return Problem(Status.TRUNCATED, f"the {header.format} ends before its end mark")
    return header


def _what_it_is(data: bytes) -> str:
    start = data[:512].lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<head", b"<?xml", b"<svg", b"<script")):
        return "HTML or XML, not a picture"
    if data[4:8] == b"ftyp" and data[8:12] in HEIF_BRANDS:
        return "HEIC, which cannot be read: convert it to JPEG"
    return "no known picture format"


def _is_cut_off_jpeg(data: bytes) -> bool:
    """Whether the end mark is missing; a thumbnail's, or one in what follows, does not count."""
    position = 0
    while mark := JPEG_MARK.search(data, position):
        position = mark.end()
        if mark[1] == END_OF_JPEG:
            return False
        if mark[1] != START_OF_JPEG:
            position += int.from_bytes(data[position : position + 2], "big")
    return True


def _is_cut_off_png(data: bytes) -> bool:
    """Whether a chunk or the end mark is missing; libpng would ask for all that a length claims."""
    position = len(PNG_SIGNATURE)
    while position + PNG_CHUNK_FRAME <= len(data):
        kind = data[position + 4 : position + 8]
        position += PNG_CHUNK_FRAME + int.from_bytes(data[position : position + 4], "big")
        if kind == b"IEND":
            return position > len(data)
    return True


CUT_OFF = {"JPEG": _is_cut_off_jpeg, "MPO": _is_cut_off_jpeg, "PNG": _is_cut_off_png}


def decode(data: bytes, max_pixels: int = MAX_PIXELS) -> np.ndarray | Problem:
    """(height, width, 3) uint8 RGB, turned as EXIF says; transparency laid over white.

    16-bit pictures are scaled to 8 bits, grey and CMYK ones converted, animations give their first
    frame.
    """
    header = read_header(data, max_pixels)
    if isinstance(header, Problem):
        return header
    flag = cv2.IMREAD_UNCHANGED if header.has_alpha else cv2.IMREAD_COLOR
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    except cv2.error as error:
        return Problem(Status.UNDECODABLE, str(error).strip().splitlines()[-1][:200])
    if pixels is None:
        return Problem(Status.UNDECODABLE, f"OpenCV cannot decode this {header.format}")
    if header.has_alpha and (pixels.ndim == 2 or header.format == "TIFF"):
        # OpenCV leaves out what is transparent in grey pictures, and lays it over black in TIFF.
        pixels = _by_pillow(data)
        if isinstance(pixels, Problem):
            return pixels
    if header.format in (NOT_TURNED_WITH_ALPHA if header.has_alpha else NOT_TURNED):
        pixels = _upright(pixels, header.exif)
    return _as_rgb(pixels)


def _by_pillow(data: bytes) -> np.ndarray | Problem:
    """(height, width, 4) uint8 BGRA."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.format == "PNG" and isinstance(image.info.get("transparency"), int):
                return _with_one_transparent_grey(image, depth=data[PNG_DEPTH])
            rgba = np.asarray(image.convert("RGBA"))
    except DAMAGED as error:
        return Problem(Status.UNDECODABLE, f"its pixels are damaged: {error}"[:200])
    return np.ascontiguousarray(rgba[:, :, [2, 1, 0, 3]])


def _with_one_transparent_grey(image: Any, depth: int) -> np.ndarray:
    """Pillow forgets that it has scaled 2 and 4 bits, and what is transparent among 16 bits."""
    transparent = image.info["transparency"]
    if depth == 16:
        grey = np.asarray(image)
        shown = grey >> 8
    else:
        grey = shown = np.asarray(image.convert("L"))
        transparent = transparent * 255 // (2**depth - 1)
    alpha = np.where(grey == transparent, 0, 255)
    return np.stack([shown, shown, shown, alpha], axis=2).astype(np.uint8)


def _upright(pixels: np.ndarray, exif: bytes) -> np.ndarray:
    """`pixels` turned as EXIF says; as they are where that is missing or damaged."""
    from PIL import Image

    tags = Image.Exif()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tags.load(exif)
            orientation = tags.get(EXIF_ORIENTATION, 1)
    except DAMAGED:
        return pixels
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    rows, columns = ROWS_AND_COLUMNS.get(orientation, (1, 1))
    return np.ascontiguousarray(pixels[::rows, ::columns])


def _as_rgb(pixels: np.ndarray) -> np.ndarray:
    if pixels.dtype == np.uint16:
        pixels = np.right_shift(pixels, 8, out=pixels).astype(np.uint8)
    elif pixels.dtype != np.uint8:
        pixels = np.clip(pixels * 255.0, 0, 255).astype(np.uint8)
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        return cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB)
    if pixels.shape[2] == 4:
        return _over_white(pixels)
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def _over_white(bgra: np.ndarray) -> np.ndarray:
    rgb = np.empty((*bgra.shape[:2], 3), np.uint8)
    # All at once would take 19 more bytes a pixel.
    for top in range(0, len(bgra), ROWS_AT_A_TIME):
        rows = slice(top, top + ROWS_AT_A_TIME)
        alpha = bgra[rows, :, 3:].astype(np.uint16)
        colour = bgra[rows, :, 2::-1].astype(np.uint16)
        rgb[rows] = (colour * alpha + 255 * (255 - alpha) + 127) // 255
    return rgb
