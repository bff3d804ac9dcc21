"""Pictures to encode: real photographs, drawings, and bytes that only look like a picture."""

import io
import struct
import zlib
from functools import cache

import numpy as np
from PIL import Image, ImageDraw


@cache
def photo(name: str) -> Image.Image:
    """One of scikit-learn's two photographs, 640 x 427 RGB: `china.jpg` or `flower.jpg`."""
    from sklearn.datasets import load_sample_image

    return Image.fromarray(load_sample_image(name))


def scenes(count: int) -> list[Image.Image]:
    """Different 160 x 120 pictures: far-apart parts of the photographs."""
    corners = [(x, y) for y in (0, 150, 300) for x in (0, 160, 320, 480)]
    parts = [
        photo(name).crop((x, y, x + 160, y + 120))
        for x, y in corners
        for name in ("china.jpg", "flower.jpg")
    ]
    assert count <= len(parts)
    return parts[:count]


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    """The bytes of `image` in a format, by Pillow."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def flag(mode: str = "RGB") -> Image.Image:
    """40 x 20: red corner at the top left, a blue bar on the right, the rest green."""
    image = Image.new("RGB", (40, 20), (0, 160, 0))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 11, 7), fill=(230, 0, 0))
    draw.rectangle((32, 0, 39, 19), fill=(0, 0, 230))
    return image.convert(mode)


def translucent() -> Image.Image:
    """The flag with an alpha channel that fades from left to right."""
    fade = np.tile(np.linspace(0, 255, 40).astype(np.uint8), (20, 1))
    image = flag("RGBA")
    image.putalpha(Image.fromarray(fade))
    return image


def over_white(image: Image.Image) -> np.ndarray:
    """What a browser shows of `image` on a white page, by Pillow."""
    page = Image.new("RGBA", image.size, "white")
    page.alpha_composite(image.convert("RGBA"))
    return np.asarray(page.convert("RGB"))


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG, its length and checksum right."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of_size(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + png_chunk(b"IEND", b"")
    )


def grey_png(depth: int, rows: np.ndarray, transparent: int) -> bytes:
    """A PNG of grey levels of `depth` bits, one of which is transparent."""
    height, width = rows.shape
    bits = rows[:, :, None] >> np.arange(depth - 1, -1, -1) & 1
    lines = np.packbits(bits.reshape(height, -1).astype(np.uint8), axis=1)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0))
        + png_chunk(b"tRNS", struct.pack(">H", transparent))
        + png_chunk(b"IDAT", zlib.compress(b"".join(b"\0" + line.tobytes() for line in lines)))
        + png_chunk(b"IEND", b"")
    )


def bombs() -> dict[str, bytes]:
    """A few hundred bytes each that ask for gigabytes."""
    jpeg = bytearray(encoded(flag()))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", 65000, 65000)
    gif = bytearray(encoded(flag("P"), "GIF"))
    gif[6:10] = struct.pack("<HH", 60000, 60000)
    bmp = bytearray(encoded(flag(), "BMP"))
    bmp[18:26] = struct.pack("<ii", 30000, 30000)
    webp = bytearray(encoded(translucent(), "WEBP"))
    canvas = webp.index(b"VP8X") + 12
    webp[canvas : canvas + 6] = b"\xfe\x3f\x00" * 2
    liar = bytearray(encoded(flag(), "PNG"))
    data = liar.index(b"IDAT")
    liar[data - 4 : data] = struct.pack(">I", 0x7FFF0000)
    return {
        "png": png_of_size(30_000, 30_000),
        "jpeg": bytes(jpeg),
        "gif": bytes(gif),
        "bmp": bytes(bmp),
        "webp": bytes(webp),
        "a PNG whose pixels claim 2 GB": bytes(liar),
    }


def with_thumbnail(jpeg: bytes, thumbnail: bytes) -> bytes:
    """`jpeg` with an EXIF segment that holds another JPEG, as cameras write it."""
    exif = b"Exif\0\0" + Image.Exif().tobytes().removeprefix(b"Exif\0\0") + thumbnail
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]
