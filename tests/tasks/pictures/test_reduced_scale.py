"""Large JPEGs decoded at the scale that is wanted: the same picture, size, remarks and refusals."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sklearn.datasets import load_sample_image

from storage.images import ImageStore
from tasks.clean.facts import facts_of
from tasks.pictures import decoding, resizing
from tasks.pictures.decoding import Problem, decode, decode_fully
from tasks.pictures.parameters import Square
from tests.project import examples

SIDE = 48
KINDS = {
    "plain": {},
    "progressive": {"progressive": True},
    "restart marks": {"restart_marker_rows": 1},
    "grey": {"mode": "L"},
    "CMYK": {"mode": "CMYK"},
    "MPO": {"format": "MPO"},
    **{f"turned {orientation}": {"orientation": orientation} for orientation in range(1, 9)},
}


def jpeg(width, height, *, mode="RGB", orientation=None, **options):
    """A photograph of this size as a JPEG."""
    photograph = Image.fromarray(load_sample_image("china.jpg")).resize((width, height))
    if orientation is not None:
        options["exif"] = Image.Exif()
        options["exif"][0x0112] = orientation
    buffer = io.BytesIO()
    photograph.convert(mode).save(buffer, **{"format": "JPEG", "quality": 92} | options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scale", [1, 2, 4, 8])
def test_every_kind_of_jpeg_is_the_same_picture_at_every_scale(kind, scale):
    data = jpeg(2 * SIDE * scale + 21, 2 * SIDE * scale, **KINDS[kind])
    whole = decode_fully(data)
    reduced = decode_fully(data, enough=2 * SIDE)
    assert round(whole.pixels.shape[0] / reduced.pixels.shape[0]) == scale
    assert (reduced.size, reduced.remarks) == (whole.size, whole.remarks)
    smooth = [resizing.cv2.resize(one.pixels, (SIDE, SIDE), interpolation=resizing.cv2.INTER_AREA)
              for one in (whole, reduced)]  # fmt: skip
    assert np.abs(smooth[0].astype(int) - smooth[1]).mean() < 3


@given(st.integers(20, 900), st.integers(20, 900), st.integers(1, 120), st.integers(1, 8))
@examples(40)
def test_no_side_gets_shorter_than_is_enough(width, height, enough, orientation):
    data = jpeg(width, height, orientation=orientation)
    found = decode_fully(data, enough=enough)
    assert found.size == decode(data).shape[:2]
    scale = max(one for one in (1, 2, 4, 8) if one == 1 or min(width, height) >= one * enough)
    assert found.pixels.shape[:2] == tuple(-(-side // scale) for side in found.size)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP", "TIFF"])
def test_other_formats_come_whole(kind):
    buffer = io.BytesIO()
    Image.fromarray(load_sample_image("flower.jpg")).save(buffer, kind)
    assert decode(buffer.getvalue(), enough=8).shape == (427, 640, 3)


@pytest.mark.parametrize("kept", [0.02, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("progressive", [False, True])
def test_what_is_cut_off_is_so_at_every_scale(kept, progressive):
    data = jpeg(640, 427, progressive=progressive)
    cut = data[: int(kept * len(data))]
    whole = decode(cut)
    assert isinstance(whole, Problem)
    assert {decode(cut, enough=enough) for enough in (10, 40, 100, 300)} == {whole}


@given(st.integers(0, 10**9), st.integers(0, 255))
@examples(60)
def test_damage_is_turned_down_or_read_at_every_scale_alike(place, value):
    data = bytearray(jpeg(256, 256))
    data[place % len(data)] = value
    found = [decode(bytes(data), enough=enough) for enough in (None, 128, 64, 32)]
    assert len({one if isinstance(one, Problem) else "pixels" for one in found}) == 1


def test_too_many_pixels_are_those_of_the_whole_picture():
    data = jpeg(640, 427)
    assert decode(data, 640 * 427 - 1, enough=8) == decode(data, 640 * 427 - 1)


def test_features_see_a_large_picture_at_twice_their_side(workspace, monkeypatch):
    """As whole decoding shows it, to within what the eye can tell."""
    images = ImageStore(workspace.images)
    name = images.add(jpeg(2560, 1708))
    asked = []
    real = decoding.cv2.imdecode
    monkeypatch.setattr(
        decoding.cv2, "imdecode", lambda data, flag: asked.append(flag) or real(data, flag)
    )
    pixels = resizing.load(images, name, Square(200))
    assert asked == [decoding.cv2.IMREAD_REDUCED_COLOR_4]
    whole = resizing.resized(decode(images.read(name)), Square(200))
    assert np.abs(pixels - whole).mean() < 4


def test_clean_keeps_the_whole_size_and_finds_the_same_likeness():
    large, small = (facts_of(jpeg(*size), 10**8) for size in ((2048, 1366), (640, 427)))
    assert (large["width"], large["height"]) == (2048, 1366)
    turned = facts_of(jpeg(2048, 1366, orientation=6), 10**8)
    assert (turned["width"], turned["height"]) == (1366, 2048)
    assert (int(large["hash"], 16) ^ int(small["hash"], 16)).bit_count() <= 2
