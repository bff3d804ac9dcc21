"""The sheets of pictures in a report's folder: what is on them is what they say."""

import re

import cv2
import numpy as np
import pytest
from PIL import Image

from storage.folders import EIGHT, GRAD_CAM
from tasks.evaluate.close_up import selection
from tasks.pictures.parameters import Augmentation, Square
from tasks.pictures.resizing import grey, load, rounded
from tasks.publish.figures import (
    augmentation_sheet,
    grad_cam_overlay,
    kernels,
    picture_sheets,
    random_predictions,
)
from tests.tasks.publish import sample

TURNED = Augmentation(rotation=40, zoom=0.2, horizontal_flip=True)


@pytest.fixture
def made(workspace):
    return sample.inputs(workspace)


def test_the_eight_say_what_the_model_says_and_how_surely(made):
    table = made.predictions.set_index("image")
    tiles = random_predictions.tiles(made)
    assert [tile.image for tile in tiles] == selection.eight(made.predictions)
    for tile in tiles:
        row = table.loc[tile.image]
        assert tile.lines[0] == f"{row['predicted']} {100 * row['probability']:.1f}\u202f%"
        assert tile.tone == ("good" if row["correct"] else "bad")
        assert list(tile.lines[1:]) == ([] if row["correct"] else [f"({row['label']})"])


@pytest.mark.parametrize(("right", "strong"), [(True, 2), (False, 0)])
def test_right_is_blue_and_wrong_is_red(tmp_path, workspace, right, strong):
    made = sample.inputs(workspace)
    made.predictions["correct"] = right
    random_predictions.save(tmp_path / EIGHT, made)
    rgb = np.asarray(Image.open(tmp_path / EIGHT).convert("RGB")).astype(int)
    words = rgb[28:42]  # the titles of the first row
    coloured = words[np.ptp(words, axis=2) > 60]
    assert len(coloured) > 50
    assert (coloured.argmax(axis=1) == strong).all()


def test_kernels_are_opencvs_and_their_numbers_stand_above():
    pixels = np.random.default_rng(1).integers(0, 256, (50, 40, 3), np.uint8)
    original, blurred, x, y, both = kernels.panels(pixels)
    assert (original.pixels == pixels).all()
    assert np.abs(blurred.pixels.astype(int) - cv2.blur(pixels, (3, 3))).max() <= 1
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    dx, dy = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    for panel, expected in ((x, dx), (y, dy)):
        assert panel.pixels[:, :, 0] == pytest.approx(
            128 + 127 * expected / np.abs(expected).max(), abs=0.51
        )
    size = np.hypot(dx, dy)
    assert both.pixels[:, :, 1] == pytest.approx(255 * size / size.max(), abs=0.51)
    assert re.findall(r"-?\d", x.title.partition("\n")[2]) == [
        "-1",
        "0",
        "1",
        "-2",
        "0",
        "2",
        "-1",
        "0",
        "1",
    ]
    assert re.findall(r"-?\d", y.title.partition("\n")[2]) == [
        "-1",
        "-2",
        "-1",
        "0",
        "0",
        "0",
        "1",
        "2",
        "1",
    ]
    assert blurred.title.partition("\n")[2].split() == ["1"] * 9


def test_a_picture_without_edges_has_no_derivative():
    flat = kernels.panels(np.full((9, 9, 3), 77, np.uint8))
    assert [int(panel.pixels.max()) for panel in flat[2:]] == [128, 128, 0]


def test_each_original_is_followed_by_changed_ones(made):
    rows = augmentation_sheet.rows(made.images, made.split, TURNED, Square(64), 3)
    assert len(rows) == 4 * 8
    train = made.split.loc[made.split["split"] == "train", "image"]
    known = [rounded(load(made.images, name, Square(64))) for name in train]
    for place, pixels in enumerate(rows):
        assert pixels.shape == (64, 64, 3)
        same = any((pixels == one).all() for one in known)
        assert same == (place % 8 == 0)
    again = augmentation_sheet.rows(made.images, made.split.iloc[::-1], TURNED, Square(64), 3)
    assert all((one == other).all() for one, other in zip(rows, again, strict=True))


def test_a_grey_networks_pictures_are_grey_as_it_gets_them(made):
    rows = augmentation_sheet.rows(made.images, made.split, TURNED, Square(64), 1)
    assert len(rows) == 4 * 8
    assert all(one.shape == (64, 64, 3) and (one == one[:, :, :1]).all() for one in rows)
    train = made.split.loc[made.split["split"] == "train", "image"]
    given = [grey(load(made.images, name, Square(64))) for name in train]
    for original in rows[::8]:
        assert any((original[:, :, :1] == one).all() for one in given)


def test_a_picture_that_is_gone_has_no_row(made):
    for path in made.images.root.glob("*/*"):
        path.unlink()
    assert augmentation_sheet.rows(made.images, made.split, TURNED, Square(64), 3) == []


@pytest.mark.parametrize(
    ("augmentation", "changes"),
    [(Augmentation(), False), (Augmentation(fill_mode="reflect"), False),
     (Augmentation(horizontal_flip=True), True), (Augmentation(shear=1), True)],
)  # fmt: skip
def test_there_is_something_to_see_if_pictures_are_changed(augmentation, changes):
    assert augmentation_sheet.changes(augmentation) == changes


def test_the_overlay_is_warm_where_the_heat_is():
    pixels = np.full((60, 90, 3), 128, np.uint8)
    warmth = np.zeros((3, 3), np.uint8)
    warmth[0, 2] = 255
    over = grad_cam_overlay.overlay(pixels, warmth).astype(int)
    assert over.shape == pixels.shape
    redder = over[:, :, 0] - over[:, :, 2]
    assert redder[:20, 70:].mean() > 60 > redder[40:, :30].mean()


def test_overlays_are_of_the_pictures_that_are_there(made):
    names = selection.eight(made.predictions)
    made.images.path(names[0]).unlink()
    found = grad_cam_overlay.overlays(made.images, dict.fromkeys(names, np.eye(5, dtype=np.uint8)))
    assert list(found) == names[1:]
    assert all(data.startswith(b"\xff\xd8\xff") for data in found.values())


def test_heat_files_are_numbered_in_their_order(tmp_path):
    names = {"1.jpg": "cat/a.1.jpg", "2.jpg": "dog/a.1.jpg", "3.jpg": "..\\..\\x<y>.png"}
    grad_cam_overlay.save(tmp_path / GRAD_CAM, dict.fromkeys(names, b"x"), names)
    found = sorted(path.name for path in (tmp_path / GRAD_CAM).iterdir())
    assert found == ["01 a.1.jpg", "02 a.1.jpg", "03 x_y_.jpg"]


@pytest.mark.parametrize("size", [(8, 8), (30, 90), (90, 30), (1, 500), (400, 300)])
def test_a_panel_of_any_size_fits_its_place(tmp_path, size):
    pixels = np.full((*size, 3), (0, 160, 0), np.uint8)
    path = picture_sheets.save(
        tmp_path / "sheet.png", [picture_sheets.Panel(pixels, "a\nb")] * 3, 2, "two rows"
    )
    rgb = np.asarray(Image.open(path).convert("RGB")).astype(int)
    green = np.abs(rgb - (0, 160, 0)).sum(axis=2) < 20
    height, width = (max(1, round(side * picture_sheets.SIDE / max(size))) for side in size)
    assert green.sum() == pytest.approx(3 * height * width, rel=0.02)


def test_letters_that_the_font_lacks_and_long_names_are_no_problem(tmp_path):
    def drawn(title):
        panel = picture_sheets.Panel(np.zeros((9, 9, 3), np.uint8), title)
        return picture_sheets.save(tmp_path / "s.png", [panel], 9, "ねこ 🐈 $x^2$").read_bytes()

    longest = picture_sheets.LONGEST_LINE
    assert drawn("ねこ $x^2$ 🐈\n" + "long" * 99) != drawn("\n")
    assert drawn("l" * 99) == drawn("l" * (longest - 1) + "…") != drawn("l" * longest)
    assert drawn("$x$") != drawn("x")  # no formula
