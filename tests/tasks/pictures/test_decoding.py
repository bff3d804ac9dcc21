import io
import json
import re
import subprocess
import sys
import tracemalloc

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps, features

from storage.statuses import Status
from tasks.pictures.decoding import Problem, _over_white, decode, read_header
from tests.project import PROJECT, examples
from tests.tasks.clean.encoded import (
    bombs,
    encoded,
    flag,
    grey_png,
    over_white,
    photo,
    png_of_size,
    translucent,
    with_thumbnail,
)


def pixels_of(data: bytes) -> np.ndarray:
    pixels = decode(data)
    assert isinstance(pixels, np.ndarray), pixels
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3
    assert pixels.shape[2] == 3
    return pixels


def difference(pixels: np.ndarray, expected: np.ndarray) -> int:
    assert pixels.shape == expected.shape
    return int(np.abs(pixels.astype(int) - expected).max())


def mean_difference(pixels: np.ndarray, expected: np.ndarray) -> float:
    assert pixels.shape == expected.shape
    return float(np.abs(pixels.astype(int) - expected).mean())


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("WEBP", {"lossless": True}),
        ("PPM", {}),
    ],
)
def test_lossless_pictures_keep_every_pixel(kind, options):
    assert difference(pixels_of(encoded(flag(), kind, **options)), np.asarray(flag())) == 0


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}])
def test_a_jpeg_is_as_pillow_sees_it(options):
    data = encoded(photo("flower.jpg"), "JPEG", quality=90, **options)
    expected = np.asarray(Image.open(io.BytesIO(data)))
    assert mean_difference(pixels_of(data), expected) < 1


def test_cmyk_has_the_colours_of_the_original():
    photograph = photo("flower.jpg")
    data = encoded(photograph.convert("CMYK"), "JPEG", quality=95)
    assert mean_difference(pixels_of(data), np.asarray(photograph)) < 5


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_grey_becomes_three_equal_channels(kind):
    pixels = pixels_of(encoded(flag("L"), kind))
    assert (pixels[:, :, 0] == pixels[:, :, 1]).all()
    assert (pixels[:, :, 0] == pixels[:, :, 2]).all()
    assert mean_difference(pixels, np.asarray(flag("L").convert("RGB"))) < 4


def test_one_bit_and_palette_pictures_decode():
    for mode in ("1", "P"):
        assert (
            difference(pixels_of(encoded(flag(mode), "PNG")), np.asarray(flag(mode).convert("RGB")))
            == 0
        )


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_are_scaled_to_eight(suffix):
    ramp = np.linspace(0, 65535, 40 * 30).astype(np.uint16).reshape(30, 40)
    colour = np.dstack([ramp, ramp[::-1], ramp[:, ::-1]])
    for stored in (ramp, colour):
        pixels = pixels_of(cv2.imencode(suffix, stored)[1].tobytes())
        rgb = np.dstack([stored] * 3) if stored.ndim == 2 else stored[:, :, ::-1]
        assert difference(pixels, rgb // 257) <= 1


def test_sixteen_bit_transparency_lies_over_white():
    bgra = np.full((30, 40, 4), (10_000, 30_000, 50_000, 0), np.uint16)
    bgra[:, 20:, 3] = 65535
    pixels = pixels_of(cv2.imencode(".png", bgra)[1].tobytes())
    assert (pixels[:, :20] == 255).all()
    assert (pixels[:, 20:] == (50_000 // 256, 30_000 // 256, 10_000 // 256)).all()


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("WEBP", {"lossless": True})])
def test_transparency_lies_over_white(kind, options):
    data = encoded(translucent(), kind, **options)
    assert difference(pixels_of(data), over_white(translucent())) <= 1


def test_grey_with_alpha_lies_over_white():
    image = translucent().convert("LA")
    assert difference(pixels_of(encoded(image, "PNG")), over_white(image)) <= 1


def test_a_transparent_grey_is_white():
    pixels = pixels_of(encoded(flag("L"), "PNG", transparency=flag("L").getpixel((20, 15))))
    assert (pixels[15, 20] == 255).all()
    assert difference(pixels[0, 0], np.asarray(flag("L").convert("RGB"))[0, 0]) == 0


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_a_transparent_grey_of_any_depth_is_white(depth):
    most = 2**depth - 1
    levels = sorted({0, 1, most // 2, most})
    rows = np.array(levels)[:, None].repeat(20, axis=1).repeat(5, axis=0)
    for transparent in levels:
        pixels = pixels_of(grey_png(depth, rows, transparent))
        shown = np.where(rows == transparent, 255, rows * 255 // most)
        assert difference(pixels, shown[:, :, None].repeat(3, axis=2)) <= 1


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_transparency_of_a_tiff_lies_over_white(mode, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(translucent().convert(mode), "TIFF", exif=exif)
    expected = over_white(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    assert difference(pixels_of(data), expected) <= 1


def test_a_cut_off_tiff_with_transparency_is_turned_down():
    found = decode(encoded(translucent(), "TIFF")[:1500])
    assert isinstance(found, Problem)


@pytest.mark.parametrize("height", [1, 255, 256, 257, 700])
def test_transparency_is_laid_over_white_row_by_row_as_at_once(height):
    bgra = np.random.default_rng(height).integers(0, 256, (height, 300, 4), dtype=np.uint8)
    colour, alpha = bgra[:, :, 2::-1].astype(int), bgra[:, :, 3:].astype(int)
    pixels = pixels_of(cv2.imencode(".png", bgra)[1].tobytes())
    assert (pixels == (colour * alpha + 255 * (255 - alpha) + 127) // 255).all()


def test_laying_over_white_takes_little_more_than_the_result():
    bgra = np.full((3000, 1000, 4), 128, np.uint8)
    tracemalloc.start()
    try:
        pixels = _over_white(bgra)
        assert tracemalloc.get_traced_memory()[1] < 2 * pixels.nbytes
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_a_transparent_palette_colour_is_white(kind):
    image = flag("P")
    clear = image.getpixel((20, 15))
    pixels = pixels_of(encoded(image, kind, transparency=clear))
    assert (pixels[15, 20] == 255).all()
    assert pixels[0, 0, 0] > 200
    assert pixels[0, 0, 1] < 50


def test_a_transparent_rgb_colour_is_white():
    pixels = pixels_of(encoded(flag(), "PNG", transparency=(0, 160, 0)))
    assert (pixels[15, 20] == 255).all()
    assert (pixels[0, 0] == (230, 0, 0)).all()


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_an_animation_gives_its_first_frame(kind):
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "lime", "blue")]
    pixels = pixels_of(encoded(frames[0], kind, save_all=True, append_images=frames[1:]))
    assert difference(pixels, np.asarray(frames[0])) < 8


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("alpha", [False, True])
def test_exif_rotation_is_honoured(orientation, kind, alpha):
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = translucent() if alpha and kind != "JPEG" else flag()
    options = {"WEBP": {"lossless": True}, "AVIF": {"quality": 100}}.get(kind, {})
    data = encoded(image, kind, exif=exif, **options)
    expected = over_white(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    assert mean_difference(pixels_of(data), expected) < 6


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("exif", [b"junk", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM"])
def test_damaged_exif_does_not_cost_the_picture(kind, exif):
    image = flag() if kind == "JPEG" else translucent()
    assert pixels_of(encoded(image, kind, exif=exif)).shape == (20, 40, 3)


def test_one_pixel_decodes():
    assert pixels_of(encoded(Image.new("RGB", (1, 1), "red"), "PNG")).tolist() == [[[255, 0, 0]]]


def test_zero_bytes_are_empty():
    assert decode(b"") == Problem(Status.EMPTY, "0 bytes")


@pytest.mark.parametrize(
    "page",
    [
        b"<!DOCTYPE html><html><body>404</body></html>",
        b"\r\n  <HTML><head>",
        b'<?xml version="1.0"?><svg/>',
        b"<script>location='/'</script>",
    ],
)
def test_a_web_page_named_jpg_says_that_it_is_one(page):
    assert decode(page) == Problem(Status.UNDECODABLE, "HTML or XML, not a picture")


def test_a_damaged_telephones_picture_named_jpg_says_what_it_is():
    data = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 100
    assert decode(data) == Problem(Status.UNDECODABLE, "a damaged HEIC")


@pytest.mark.parametrize("data", [b"\0" * 5000, b"hello", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"])
def test_bytes_that_are_no_picture_are_undecodable(data):
    assert decode(data).status == Status.UNDECODABLE


@pytest.mark.parametrize(
    ("kind", "options", "status"),
    [
        ("JPEG", {}, Status.TRUNCATED),
        ("JPEG", {"progressive": True}, Status.TRUNCATED),
        ("PNG", {}, Status.TRUNCATED),
        ("GIF", {}, Status.UNDECODABLE),
        ("WEBP", {}, Status.UNDECODABLE),
        ("WEBP", {"lossless": True}, Status.UNDECODABLE),
        ("TIFF", {}, Status.UNDECODABLE),
    ],
)
@pytest.mark.parametrize("share", [0.25, 0.5, 0.75, 0.99])
def test_a_picture_that_is_cut_off_is_turned_down(kind, options, status, share):
    data = encoded(photo("china.jpg"), kind, **options)
    assert decode(data[: int(share * len(data))]).status == status


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP"])
def test_a_picture_without_its_last_two_bytes_is_turned_down(kind):
    assert isinstance(decode(encoded(flag(), kind)[:-2]), Problem)


def test_a_jpeg_cut_after_its_thumbnail_is_truncated():
    thumbnail = encoded(flag())
    data = with_thumbnail(encoded(photo("china.jpg")), thumbnail)
    assert pixels_of(data).shape == (427, 640, 3)
    assert decode(data[: len(data) // 2]).status == Status.TRUNCATED
    only_the_thumbnail = data[: data.index(thumbnail) + len(thumbnail)]
    assert isinstance(decode(only_the_thumbnail), Problem)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP"])
@pytest.mark.parametrize("garbage", [b"\0" * 100, b"hello", b"..\xff\xda..", b"..\xff\xd8\xff\xe1"])
def test_garbage_after_the_end_mark_does_no_harm(kind, garbage):
    data = encoded(flag(), kind)
    assert difference(pixels_of(data + garbage), pixels_of(data)) == 0


def test_a_film_behind_a_photograph_does_no_harm():
    # Phones append one to a JPEG; it holds every mark, in any order.
    film = np.random.default_rng(0).integers(0, 256, 500_000, np.uint8).tobytes() + b"\xff\xda"
    assert pixels_of(encoded(flag()) + film).shape == (20, 40, 3)


def test_garbage_with_an_end_mark_does_not_hide_that_a_jpeg_is_cut_off():
    data = with_thumbnail(encoded(photo("china.jpg")), encoded(flag()))
    unfinished = data[: data.rindex(b"\xff\xda")]
    assert decode(unfinished + b"\0" * 4096).status == Status.TRUNCATED


def test_the_limit_of_pixels_is_exact():
    data = encoded(flag(), "PNG")
    assert isinstance(decode(data, max_pixels=800), np.ndarray)
    assert decode(data, max_pixels=799) == Problem(Status.TOO_MANY_PIXELS, "40 x 20")


def test_a_header_is_enough_to_turn_down_a_bomb():
    assert read_header(png_of_size(30_000, 30_000)) == Problem(
        Status.TOO_MANY_PIXELS, "30000 x 30000"
    )


MEASURE = """
import json, resource
from tasks.pictures.decoding import decode
from tests.tasks.clean.encoded import bombs, encoded, flag
unit = 1 if __import__("sys").platform == "darwin" else 1024
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
decode(encoded(flag(), "PNG"))
result = {}
for name, data in bombs().items():
    before = peak()
    problem = decode(data)
    result[name] = [str(problem.status), peak() - before]
print(json.dumps(result))
"""


def test_bombs_are_turned_down_before_memory_is_asked_for():
    pytest.importorskip("resource")
    out = subprocess.run(
        [sys.executable, "-c", MEASURE], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout
    result = json.loads(out)
    assert set(result) == set(bombs())
    for name, (status, grown) in result.items():
        assert status in (Status.TOO_MANY_PIXELS, Status.UNDECODABLE, Status.TRUNCATED), name
        assert grown < 32 * 2**20, f"{name}: {grown / 2**20:.0f} MiB"


KINDS = {
    "JPEG": (flag("RGB"), {}),
    "PNG": (translucent(), {}),
    "GIF": (flag("P"), {}),
    "WEBP": (translucent(), {}),
    "BMP": (flag("RGB"), {}),
    "TIFF": (flag("RGB"), {}),
    "DDS": (flag("RGB"), {}),
    "SPIDER": (flag("L").convert("F"), {}),
} | ({"AVIF": (flag("RGB"), {})} if features.check("avif") else {})
WHOLE = {kind: encoded(image, kind, **options) for kind, (image, options) in KINDS.items()}


@given(
    kind=st.sampled_from(sorted(WHOLE)),
    damage=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=6),
    lost=st.integers(0, 200),
)
@examples(300)
def test_damage_gives_pixels_or_a_reason_and_always_the_same(kind, damage, lost):
    data = bytearray(WHOLE[kind])
    for position, value in damage:
        data[position % len(data)] = value
    data = bytes(data[: len(data) - lost])
    first, second = decode(data, 10_000), decode(data, 10_000)
    if isinstance(first, Problem):
        assert first == second
        assert first.reason
        assert not re.search(r"0x[0-9a-f]{6,}", first.reason)
    else:
        assert (first == second).all()
        assert first.shape[0] * first.shape[1] <= 10_000
