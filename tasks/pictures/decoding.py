"""Bytes to pixels, with OpenCV, never trusting the bytes.

The header is read first (Pillow does not decode for that), so that a picture with too many pixels
is turned down before any memory is asked for.
"""

import importlib.util
import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from storage.statuses import Status
from tasks.pictures import colour, depth, jpeg, raw_previews
from tasks.pictures.opencv import cv2
from tasks.pictures.parameters import MAX_PIXELS

# What Pillow's many readers raise on bytes that they did not expect.
DAMAGED = (
    OSError, ValueError, SyntaxError, EOFError, TypeError, AttributeError, LookupError,
    ArithmeticError, RuntimeError, struct.error, zlib.error,
)  # fmt: skip
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_DEPTH = 24  # the place of the byte that says how many bits a channel has
PNG_CHUNK_FRAME = 12  # bytes around a chunk's data: its length, its kind, its checksum
TIFF_BITS = 258
HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"})
JPEG_XL = (b"\xff\x0a", b"\x00\x00\x00\x0cJXL ")
JPEGS = frozenset({"JPEG", "MPO"})
BY_PILLOW = frozenset({"HEIF", "JXL"})
EXIF_ORIENTATION = 0x0112
ROWS_AT_A_TIME = 256
NO_END_MARK = "only its end mark is missing"
# Formats whose EXIF rotation OpenCV leaves out, always or when it keeps transparency.
NOT_TURNED = frozenset({"AVIF"})
NOT_TURNED_WITH_ALPHA = NOT_TURNED | {"PNG", "WEBP"}
# The scales that a JPEG's decoder has of its own, the smallest picture first.
REDUCED = (
    (8, cv2.IMREAD_REDUCED_COLOR_8), (4, cv2.IMREAD_REDUCED_COLOR_4),
    (2, cv2.IMREAD_REDUCED_COLOR_2), (1, cv2.IMREAD_COLOR),
)  # fmt: skip
SIDEWAYS = (5, 6, 7, 8)
# Orientation -> steps through rows and columns (-1 is backwards), for 5 to 8 after transposing.
ROWS_AND_COLUMNS = {2: (1, -1), 3: (-1, -1), 4: (-1, 1), 6: (1, -1), 7: (-1, -1), 8: (-1, 1)}


@dataclass(frozen=True)
class Header:
    """What a picture says of itself before it is decoded; `profile` is ICC's."""

    format: str
    width: int
    height: int
    has_alpha: bool
    exif: bytes = b""
    profile: bytes = b""
    bits: int = 8
    raw: bool = False


@dataclass(frozen=True)
class Problem:
    """Why a picture cannot be used."""

    status: Status
    reason: str


class Decoded(NamedTuple):
    """(height, width, 3) uint8 RGB, the header, and what is to be said of how it was read.

    `size` is the height and width of the whole picture, of which `pixels` may be a reduced one.
    """

    pixels: np.ndarray
    header: Header
    size: tuple[int, int]
    remarks: tuple[str, ...] = ()


def read_header(data: bytes, max_pixels: int = MAX_PIXELS) -> Header | Problem:
    """Format and size; a Problem for empty, unknown or oversized pictures.

    A file that breaks off has a header all the same: what is missing shows in decoding.
    """
    from PIL import Image, UnidentifiedImageError

    if not data:
        return Problem(Status.EMPTY, "0 bytes")
    missing = _open_to_other_formats(data)
    if missing is not None:
        return missing
    Image.MAX_IMAGE_PIXELS = None  # `max_pixels` is the limit, and opening decodes nothing
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data)) as image:
                header = _header_of(image, data)
    except UnidentifiedImageError:
        return Problem(Status.UNDECODABLE, _what_it_is(data))
    except DAMAGED as error:
        return Problem(Status.UNDECODABLE, f"its header is damaged: {error}")
    if header.width * header.height > max_pixels:
        return Problem(Status.TOO_MANY_PIXELS, f"{header.width} x {header.height}")
    return header


def _header_of(image: Any, data: bytes) -> Header:
    tags = getattr(image, "tag_v2", {})
    return Header(
        image.format or "?",
        image.width,
        image.height,
        has_alpha=image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info,
        exif=image.info.get("exif", b""),
        profile=image.info.get("icc_profile") or b"",
        bits=_bits(image.format, tags, data),
        raw=image.format in ("TIFF", "MPO", "DNG") and raw_previews.is_raw_tiff(tags),
    )


def _bits(kind: str | None, tags: Any, data: bytes) -> int:
    if kind == "PNG":
        return data[PNG_DEPTH]
    if kind == "TIFF":
        return max(map(int, tags.get(TIFF_BITS, (8,))), default=8)
    return 8


def _open_to_other_formats(data: bytes) -> Problem | None:
    """Let Pillow read what it needs another library for; a Problem where that is not installed."""
    if data[4:8] == b"ftyp" and data[8:12] in HEIF_BRANDS:
        import pi_heif

        pi_heif.register_heif_opener()
    elif data.startswith(JPEG_XL):
        if importlib.util.find_spec("pillow_jxl") is None:
            return Problem(
                Status.UNDECODABLE,
                "JPEG XL: install `pillow-jxl-plugin` (pip install 'darkroom[jpegxl]')",
            )
        import pillow_jxl  # noqa: F401 - it registers itself
    return None


def _what_it_is(data: bytes) -> str:
    start = data[:512].lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<head", b"<?xml", b"<svg", b"<script")):
        return "HTML or XML, not a picture"
    if data[4:8] == b"ftyp" and data[8:12] in HEIF_BRANDS:
        return "a damaged HEIC"
    if data[128:132] == b"DICM":
        return "DICOM cannot be read: convert it to PNG"
    if data.startswith(b"\x93NUMPY"):
        return "an array, not a picture: save it as PNG"
    if data.startswith(b"8BPS"):
        return "PSD cannot be read: convert it to PNG"
    return "no known picture format"


def _is_cut_off_png(data: bytes) -> bool:
    """Whether a chunk or the end mark is missing; libpng would ask for all that a length claims."""
    position = len(PNG_SIGNATURE)
    while position + PNG_CHUNK_FRAME <= len(data):
        kind = data[position + 4 : position + 8]
        position += PNG_CHUNK_FRAME + int.from_bytes(data[position : position + 4], "big")
        if kind == b"IEND":
            return position > len(data)
    return True


def decode(
    data: bytes, max_pixels: int = MAX_PIXELS, enough: int | None = None
) -> np.ndarray | Problem:
    """(height, width, 3) uint8 RGB, turned as EXIF says; transparency laid over white.

    Grey and CMYK pictures are converted, wide gamuts brought into sRGB, more than 8 bits stretched
    from the range that they use. Animations give their first frame, MPO files their first picture,
    camera raw files the preview in them. Where a side of `enough` pixels is enough, a JPEG may come
    at a half, a quarter or an eighth of its size, scaled by its decoder, as long as neither side
    gets shorter than that: several times as fast.
    """
    found = decode_fully(data, max_pixels, enough)
    return found if isinstance(found, Problem) else found.pixels


def decode_fully(
    data: bytes, max_pixels: int = MAX_PIXELS, enough: int | None = None
) -> Decoded | Problem:
    """The same, with the header, the whole size, and remarks on how the picture was read."""
    if raw_previews.is_raw(data):
        return _of_raw(data, max_pixels, enough)
    header = read_header(data, max_pixels)
    if isinstance(header, Problem):
        return header
    if header.raw:
        return _of_raw(data, max_pixels, enough)
    whole = _whole(data, header)
    pixels = whole if isinstance(whole, Problem) else _pixels(whole, header, enough)
    if isinstance(pixels, Problem):
        return pixels
    remarks = [] if whole is data else [NO_END_MARK]
    if header.format in (NOT_TURNED_WITH_ALPHA if header.has_alpha else NOT_TURNED):
        pixels = _upright(pixels, header.exif)
    pixels, said = depth.as_bytes(pixels)
    remarks.append(said)
    pixels, said = colour.to_srgb(_as_rgb(pixels), header.profile)
    remarks.append(said)
    return Decoded(pixels, header, _size(pixels, header, enough), tuple(filter(None, remarks)))


def _whole(data: bytes, header: Header) -> bytes | Problem:
    """The bytes, with an end mark if only that is missing; a Problem where more is."""
    if header.format == "PNG" and _is_cut_off_png(data):
        return Problem(Status.TRUNCATED, "the PNG ends before its end mark")
    if header.format in JPEGS and jpeg.end_of(data) is None:
        return jpeg.with_end(data) or Problem(Status.TRUNCATED, f"the {header.format} breaks off")
    return data


def _size(pixels: np.ndarray, header: Header, enough: int | None) -> tuple[int, int]:
    """Height and width of the whole picture, upright."""
    if _scale(header, enough)[0] == 1:
        return pixels.shape[0], pixels.shape[1]
    size = header.height, header.width
    return size[::-1] if _orientation(header.exif) in SIDEWAYS else size


def _scale(header: Header, enough: int | None) -> tuple[int, int]:
    """By how much a picture may be divided, and OpenCV's word for it."""
    if header.format not in JPEGS or enough is None:
        return REDUCED[-1]
    shortest = min(header.width, header.height)
    return next((one for one in REDUCED if shortest >= one[0] * enough), REDUCED[-1])


def _of_raw(data: bytes, max_pixels: int, enough: int | None) -> Decoded | Problem:
    preview = raw_previews.preview(data)
    if preview is None:
        return Problem(Status.UNDECODABLE, "camera raw without a preview: convert it to JPEG")
    found = decode_fully(preview, max_pixels, enough)
    if isinstance(found, Problem):
        return found
    said = f"camera raw: the preview in it counts, {found.size[1]} x {found.size[0]}"
    return found._replace(remarks=(said, *found.remarks))


def _pixels(data: bytes, header: Header, enough: int | None) -> np.ndarray | Problem:
    """As they are stored: any type of number, one, three (BGR) or four (BGRA) channels."""
    if header.format in BY_PILLOW:
        return _by_pillow(data)
    deep = header.bits > 8
    flag = cv2.IMREAD_UNCHANGED if header.has_alpha or deep else _scale(header, enough)[1]
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    except cv2.error as error:
        return Problem(Status.UNDECODABLE, str(error).strip().splitlines()[-1][:200])
    if pixels is None:
        unread = Problem(Status.UNDECODABLE, f"OpenCV cannot decode this {header.format}")
        return _deep_by_pillow(data) if deep else unread
    if header.has_alpha and (pixels.ndim == 2 or header.format == "TIFF"):
        # OpenCV leaves out what is transparent in grey pictures, and lays it over black in TIFF.
        return _by_pillow(data)
    if deep and not header.has_alpha and header.exif and flag == cv2.IMREAD_UNCHANGED:
        return _upright(pixels, header.exif)
    return pixels


def _deep_by_pillow(data: bytes) -> np.ndarray | Problem:
    """Numbers of one channel that OpenCV does not read."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            return np.asarray(image)
    except DAMAGED as error:
        return Problem(Status.UNDECODABLE, f"its pixels are damaged: {error}"[:200])


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
    orientation = _orientation(exif)
    if orientation in SIDEWAYS:
        pixels = pixels.swapaxes(0, 1)
    rows, columns = ROWS_AND_COLUMNS.get(orientation, (1, 1))
    return np.ascontiguousarray(pixels[::rows, ::columns])


def _orientation(exif: bytes) -> int:
    """EXIF's, 1 where it is missing or damaged."""
    from PIL import Image

    tags = Image.Exif()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tags.load(exif)
            return int(tags.get(EXIF_ORIENTATION, 1))
    except DAMAGED:
        return 1


def _as_rgb(pixels: np.ndarray) -> np.ndarray:
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
