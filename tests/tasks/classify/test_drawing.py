"""Pictures with their line of text drawn on."""

from pathlib import PurePosixPath

import numpy as np
import pytest
from PIL import Image

from storage.errors import ParameterError
from tasks.classify import drawing as module
from tasks.classify.drawing import (
    BAND,
    COLOURS,
    LARGEST_TEXT,
    TALLEST,
    WIDTH,
    Drawings,
    _fitted,
    _font,
    for_the_screen,
    with_text,
)


def plain(height, width, value=255):
    return np.full((height, width, 3), value, np.uint8)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((300, 400), (300, WIDTH)),
        ((30, 40), (300, WIDTH)),  # enlarged
        ((3000, 2000), (600, WIDTH)),
        ((1, 1), (WIDTH, WIDTH)),
        ((100_000, 1), (TALLEST, WIDTH)),  # fits in, filled up at its sides
        ((1, 100_000), (BAND + 1, WIDTH)),  # below the text
    ],
)
def test_pictures_are_made_for_the_screen(size, expected):
    assert for_the_screen(plain(*size)).shape == (*expected, 3)


def test_a_low_picture_is_not_hidden_by_the_text():
    drawn = np.asarray(with_text(for_the_screen(plain(10, 200)), "ant: 50.0%", correct=None))
    assert drawn.shape[0] == BAND + 20
    assert (drawn[BAND:] == 255).all()


def contrast(one, other):
    """WCAG's contrast ratio of two colours."""

    def luminance(colour):
        parts = [c / 255 for c in colour]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("correct", [True, False, None])
@pytest.mark.parametrize("background", [0, 128, 255])
def test_text_is_legible_on_any_picture(correct, background):
    drawn = np.asarray(with_text(plain(200, WIDTH, background), "ant: 97.3%", correct=correct))
    band = drawn[:BAND].reshape(-1, 3)
    text = (band == COLOURS[correct]).all(axis=1)
    assert text.sum() > 100
    # The band beside the text, and the outline around it, are darker still.
    assert contrast(COLOURS[correct], drawn[2, WIDTH - 3]) > 4.5
    assert (drawn[BAND:] == background).all()


def test_the_verdicts_have_colours_of_their_own():
    assert len(set(COLOURS.values())) == 3
    assert COLOURS[True][1] > COLOURS[True][0]  # green


@pytest.mark.parametrize("letter", "üßÉøжλŁ")
def test_letters_beyond_ascii_are_drawn(letter):
    font = _font(LARGEST_TEXT)
    missing = np.asarray(font.getmask("\U0010fffd"))
    assert not np.array_equal(np.asarray(font.getmask(letter)), missing)


def test_a_long_class_name_keeps_its_end():
    text, font = _fitted("a" * 200 + ": 97.3% (correct)")
    assert text.startswith("…")
    assert text.endswith("a: 97.3% (correct)")
    assert font.getlength(text) <= WIDTH


def drawn_names(folder, places):
    drawings = Drawings.into(folder)
    screen = plain(100, WIDTH)
    return [
        drawings.add(screen, PurePosixPath(place), "ant: 1.0%", correct=None).name
        for place in places
    ]


def test_files_are_named_after_the_pictures_and_none_is_overwritten(tmp_path):
    places = ["ant/1.jpg", "bee/1.jpg", "ant_1.jpg", "ANT_1.JPG", "x.gif", "x.png", "x.gif"]
    found = drawn_names(tmp_path, places)
    assert found == [
        "ant_1.jpg", "bee_1.jpg", "ant_1 (2).jpg", "ANT_1 (3).JPG", "x.gif.jpg", "x.png",
        "x.gif (2).jpg",
    ]  # fmt: skip
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(found)
    for path in tmp_path.iterdir():
        with Image.open(path) as image:
            assert image.size == (WIDTH, 100)


def test_what_lies_in_the_folder_is_left_alone(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"mine")
    (tmp_path / "b.jpg").symlink_to(tmp_path / "elsewhere.jpg")
    assert drawn_names(tmp_path, ["a.jpg", "b.jpg"]) == ["a (2).jpg", "b (2).jpg"]
    assert (tmp_path / "a.jpg").read_bytes() == b"mine"
    assert not (tmp_path / "elsewhere.jpg").exists()


@pytest.mark.parametrize("links", [True, False])
def test_what_somebody_else_puts_there_meanwhile_is_left_alone(tmp_path, monkeypatch, links):
    def slow(*words, **options):
        (tmp_path / "a.jpg").write_bytes(b"theirs")
        return with_text(*words, **options)

    def no_links(*_):
        raise PermissionError(1, "as on FAT")

    monkeypatch.setattr(module, "with_text", slow)
    if not links:
        monkeypatch.setattr("os.link", no_links)
    assert drawn_names(tmp_path, ["a.jpg"]) == ["a (2).jpg"]
    assert (tmp_path / "a.jpg").read_bytes() == b"theirs"
    with Image.open(tmp_path / "a (2).jpg") as image:
        assert image.size == (WIDTH, 100)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    "place", ["../../up.jpg", "/etc/passwd.png", "C:\\x.jpg", "..", "a\n\x1b.jpg", "n" * 5000]
)
def test_no_name_leads_out_of_the_folder(tmp_path, place):
    folder = tmp_path / "drawn"
    (name,) = drawn_names(folder, [place])
    assert [path.name for path in folder.iterdir()] == [name]
    assert [path.name for path in tmp_path.iterdir()] == ["drawn"]
    assert name.isprintable()


@pytest.mark.parametrize("wrong", ["file/drawn", "file", "n" * 300, "/proc", "a\0"])
def test_a_folder_that_cannot_be_made_or_written_to_is_named(tmp_path, wrong):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ParameterError, match="--drawn"):
        Drawings.into(tmp_path / wrong)
