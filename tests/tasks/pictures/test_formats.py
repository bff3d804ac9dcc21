"""Formats that cameras and phones write, and pictures that are almost whole."""

import importlib.util
import io

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from storage.images import suffix_of
from storage.statuses import Status
from tasks.pictures import exif, native_messages, raw_previews
from tasks.pictures.decoding import Problem, decode, decode_fully
from tests.tasks.clean.encoded import encoded, scenes

SCENE = scenes(1)[0]


def near(one, other, tolerance=6.0):
    return float(np.abs(one.astype(float) - np.asarray(other).astype(float)).mean()) < tolerance


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("size", [(160, 120), (33, 41), (8, 8)])
def test_a_jpeg_that_lacks_its_end_mark_alone_is_kept_with_a_word(progressive, size):
    data = encoded(SCENE.resize(size), "JPEG", quality=90, progressive=progressive)
    for lacking in (1, 2):
        found = decode_fully(data[:-lacking])
        assert found.remarks == ("only its end mark is missing",)
        assert np.array_equal(found.pixels, decode(data))


@pytest.mark.parametrize("lacking", [3, 4, 6, 20, 200])
@pytest.mark.parametrize("quality", [30, 90])
def test_a_jpeg_that_lacks_rows_of_pixels_is_truncated(lacking, quality):
    data = encoded(SCENE, "JPEG", quality=quality)
    assert decode(data[:-lacking]) == Problem(Status.TRUNCATED, "the JPEG breaks off")


def test_what_a_decoder_prints_is_caught(capfd):
    data = encoded(SCENE, "JPEG")
    odd = data[:-2] + b"abcdefgh" * 5 + data[-2:]
    with native_messages.caught() as messages:
        assert decode(odd) is not None
        (line,) = messages.new()
        assert messages.new() == []
    assert line.startswith("Corrupt JPEG data:")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_heic_is_read(mode):
    import pillow_heif

    buffer = io.BytesIO()
    pillow_heif.from_pillow(SCENE.convert(mode)).save(buffer, quality=90)
    assert suffix_of(buffer.getvalue()) == ".heic"
    assert near(decode(buffer.getvalue()), SCENE)


def test_heic_is_read_upright_once():
    import pillow_heif

    turned = SCENE.resize((120, 60))
    tags = Image.Exif()
    tags[0x0112] = 6
    buffer = io.BytesIO()
    pillow_heif.from_pillow(turned).save(buffer, quality=90, exif=tags.tobytes())
    assert near(decode(buffer.getvalue()), turned.transpose(Image.Transpose.ROTATE_270))


def test_avif_is_read():
    data = encoded(SCENE, "AVIF", quality=90)
    assert suffix_of(data) == ".avif"
    assert near(decode(data), SCENE)


def test_jpeg_xl_is_read_where_its_plugin_is_installed(monkeypatch):
    import pillow_jxl  # noqa: F401 - it registers itself

    data = encoded(SCENE, "JXL")
    assert near(decode(data), SCENE)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "pillow-jxl-plugin" in decode(data).reason


def test_of_an_mpo_the_first_picture_counts():
    other = scenes(2)[1]
    data = encoded(SCENE, "MPO", save_all=True, append_images=[other], quality=95)
    assert near(decode(data), SCENE)
    assert not near(decode(data), other)


def raw_file(preview, small):
    """A TIFF like a DNG: the tag of one, a small picture first, previews behind it."""
    buffer = io.BytesIO()
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    tags = ImageFileDirectory_v2()
    tags[50706] = b"\x01\x04\x00\x00"
    SCENE.resize((20, 15)).save(buffer, "TIFF", tiffinfo=tags)
    return buffer.getvalue() + small + b"\0" * 9 + preview + b"\x01\x02" * 500


def test_of_a_raw_file_the_largest_preview_counts():
    data = raw_file(encoded(SCENE, "JPEG", quality=95), encoded(SCENE.resize((32, 24)), "JPEG"))
    found = decode_fully(data)
    assert near(found.pixels, SCENE)
    assert found.remarks[0].startswith("camera raw: the preview in it counts")
    fuji = b"FUJIFILMCCD-RAW " + b"\0" * 100 + encoded(SCENE, "JPEG", quality=95)
    assert near(decode(fuji), SCENE)


def test_a_raw_file_without_a_preview_says_so():
    assert "without a preview" in decode(raw_file(b"", b"")).reason
    assert raw_previews.preview(b"\xff\xd8\xff\xe0" * 40) is None


def test_an_ordinary_tiff_is_no_raw_file():
    assert near(decode(encoded(SCENE, "TIFF")), SCENE, 0.1)


@pytest.mark.parametrize("kind", [".png", ".tif"])
@pytest.mark.parametrize("bits", [10, 12, 14])
def test_fewer_bits_in_sixteen_are_stretched_with_a_word(kind, bits):
    grey = np.asarray(SCENE.convert("L"))
    grey = np.clip(grey, 0, 255)
    grey[0, 0] = 255
    deep = (grey.astype(np.uint32) * (2**bits - 1) // 255).astype(np.uint16)
    _, data = cv2.imencode(kind, deep)
    found = decode_fully(data.tobytes())
    assert found.remarks == (f"its 16 bits hold {bits}, which were stretched",)
    assert near(found.pixels[..., 0], grey, 1.0)


@pytest.mark.parametrize("kind", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_all_sixteen_bits_are_scaled_without_a_word(kind, channels):
    grey = np.asarray(SCENE if channels == 3 else SCENE.convert("L"))
    deep = grey.astype(np.uint16) * 257
    deep.flat[0] = 65535
    _, data = cv2.imencode(kind, deep[..., ::-1] if channels == 3 else deep)
    found = decode_fully(data.tobytes())
    assert found.remarks == ()
    assert near(found.pixels if channels == 3 else found.pixels[..., 0], grey, 1.0)


def test_fractions_are_stretched():
    grey = np.asarray(SCENE.convert("L")).astype(np.float32)
    _, ones = cv2.imencode(".tif", grey / 255)
    assert decode_fully(ones.tobytes()).remarks == ()
    assert near(decode(ones.tobytes())[..., 0], grey, 1.0)
    grey[0, 0], grey[0, 1] = 0, 255
    _, wide = cv2.imencode(".tif", grey * 100 - 5000)
    found = decode_fully(wide.tobytes())
    assert "from -5000 to 20500 were stretched" in found.remarks[0]
    assert near(found.pixels[..., 0], grey, 1.0)


def test_fractions_that_are_no_numbers_are_black():
    grey = np.asarray(SCENE.convert("L")).astype(np.float32) / 255
    grey[3:5] = np.nan
    _, data = cv2.imencode(".tif", grey)
    assert not decode(data.tobytes())[3:5].any()


def profile(name):
    """The bytes of a colour profile; of another gamut, its three colours rotated."""
    made = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    if name == "wide":
        made = made.replace(b"s\0R\0G\0B", b"w\0i\0d\0e").replace(b"sRGB", b"wide")
        for one, other in ((b"rXYZ", b"gXYZ"),):
            first = made.index(one) + 4
            second = made.index(other) + 4
            made[first : first + 4], made[second : second + 4] = (
                made[second : second + 4], made[first : first + 4],
            )  # fmt: skip
    return bytes(made)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_another_gamut_becomes_srgb(kind):
    solid = Image.new("RGB", (40, 30), (250, 20, 20))
    options = {} if kind == "PNG" else {"quality": 95}
    plain = decode(encoded(solid, kind, icc_profile=profile("sRGB"), **options))
    assert near(plain, solid)
    changed = decode(encoded(solid, kind, icc_profile=profile("wide"), **options))
    assert changed[5, 5, 1] > 200
    assert changed[5, 5, 0] < 100


def test_a_damaged_profile_is_told_and_changes_nothing():
    broken = profile("wide")[:200]
    found = decode_fully(encoded(SCENE, "PNG", icc_profile=broken))
    assert found.remarks[0].startswith("its colour profile cannot be used")
    assert np.array_equal(found.pixels, np.asarray(SCENE))


def test_when_and_with_what_a_picture_was_taken():
    tags = Image.Exif()
    tags[0x010F], tags[0x0110] = "Maker", "Model 7"
    tags.get_ifd(0x8769)[0x9003] = "2024:05:06 07:08:09"
    data = encoded(SCENE, "JPEG", exif=tags.tobytes())
    assert exif.taken(decode_fully(data).header.exif) == ("2024-05-06T07:08:09", "Maker Model 7")
    assert exif.taken(b"Exif\0\0nonsense") == ("", "")
    assert exif.taken(b"") == ("", "")


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"\0" * 128 + b"DICM" + b"\0" * 40, "DICOM"), (b"\x93NUMPY\x01\0", "array"),
     (b"8BPS\0\x01", "PSD")],
)  # fmt: skip
def test_what_has_to_be_converted_says_so(data, reason):
    assert reason in decode(data).reason


def test_nothing_is_printed_of_pictures_where_it_is_to_be_quiet(capfd):
    data = encoded(SCENE, "JPEG")
    odd = data[:-2] + b"abcdefgh" * 5 + data[-2:]
    library = native_messages._library()
    with native_messages.quiet():
        assert decode(odd) is not None
        library.perror(b"something else")
    err = capfd.readouterr().err
    assert "JPEG" not in err
    assert "something else" in err


def test_what_went_wrong_comes_out_of_the_quiet():
    with pytest.raises(ValueError, match="mine"), native_messages.quiet():
        raise ValueError("mine")
    with native_messages.caught() as messages:
        assert messages.new() == []
