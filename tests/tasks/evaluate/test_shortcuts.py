"""Classes that differ in how they were saved are flagged, not those that show something else."""

import io

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from storage.images import ImageStore
from tasks.evaluate.shortcuts import shortcuts
from tests.pictures import picture

NAMES = ["cat", "dog"]


def stored(tmp_path, qualities, count=40, side=96, classes=NAMES, shift=0.0):
    """Scenes alike in both classes, saved at the class's quality."""
    images, rows = ImageStore(tmp_path), []
    draw = np.random.default_rng(3)
    for number in range(count):
        for name, quality in zip(classes, qualities, strict=True):
            small = draw.uniform(0, 255, (6, 6, 3)) + shift * (name == classes[0])
            width = int(side * draw.uniform(0.8, 1.6))
            pixels = cv2.resize(small.clip(0, 255).astype(np.uint8), (width, side))
            pixels = (pixels + draw.normal(0, 9, pixels.shape)).clip(0, 255).astype(np.uint8)
            _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
            image = images.add(data.tobytes())
            size = (data.size, width, side)
            rows.append([image, f"{name}/{number}.jpg", name, f"{number}-{name}", *size])
    columns = ["image", "name", "label", "group", "bytes", "width", "height"]
    return images, pd.DataFrame(rows, columns=columns)


@pytest.mark.parametrize(("qualities", "flagged"), [((30, 95), ["saving"]), ((90, 90), [])])
def test_a_class_saved_in_another_way_is_flagged(tmp_path, qualities, flagged):
    found = shortcuts(*stored(tmp_path, qualities))
    assert [one.kind for one in found if one.flagged and one.kind == "saving"] == flagged
    assert {one.chance for one in found} == {0.5}
    assert len(found) == (4 if flagged else 3)  # saved alike, there is nothing to tell by
    if not flagged:
        assert not [one for one in found if one.flagged]


def test_darker_pictures_of_one_class_are_told_and_not_called_a_fault_of_files(tmp_path):
    found = {one.kind: one for one in shortcuts(*stored(tmp_path, (90, 90), shift=-60.0))}
    assert found["light and colour"].balanced_accuracy > 0.7
    assert not found["size"].flagged


def test_drawings_with_more_in_them_are_no_shortcut(tmp_path):
    images, rows = ImageStore(tmp_path), []
    for number in range(80):
        name, pixels = NAMES[number % 2], np.zeros((64, 64, 3), np.uint8)
        draw = np.random.default_rng(number)
        for _ in range(3 if number % 2 else 12):
            one, other = draw.integers(0, 64, (2, 2)).tolist()
            cv2.line(pixels, one, other, (255, 255, 255), 2)
        _, data = cv2.imencode(".png", pixels)
        image = images.add(data.tobytes())
        rows.append([image, f"{name}/{number}.png", name, str(number), 64, 64])
    table = pd.DataFrame(rows, columns=["image", "name", "label", "group", "width", "height"])
    found = {one.kind: one for one in shortcuts(images, table)}
    assert found["detail"].balanced_accuracy > 0.8
    assert not {"saving", "size"} & set(found)  # the same for all


def test_the_same_pictures_give_the_same_figures(tmp_path):
    images, table = stored(tmp_path, (60, 90), count=12)
    assert shortcuts(images, table) == shortcuts(images, table)


def test_too_few_pictures_or_one_class_say_nothing(tmp_path):
    images, table = stored(tmp_path, (30, 95), count=4)
    assert shortcuts(images, table) == []
    assert shortcuts(images, table[table["label"] == "cat"]) == []


def test_a_picture_that_does_not_open_any_more_is_no_error(tmp_path):
    images, table = stored(tmp_path, (30, 95), count=12)
    table.loc[0, "image"] = images.add(b"\xff\xd8\xff no picture")
    assert len(shortcuts(images, table)) == 4


def with_exif(picture, camera="", time=""):
    tags = Image.Exif()
    if camera:
        tags[0x0110] = camera
    if time:
        tags[0x0132] = time
    buffer = io.BytesIO()
    Image.open(io.BytesIO(picture)).save(buffer, "JPEG", quality=90, exif=tags)
    return buffer.getvalue()


def judged(tmp_path, made, names):
    """Of two classes of 40 pictures each, `made(number)` JPEGs at `names(class, number)`."""
    images, rows = ImageStore(tmp_path / "images"), []
    for number in range(80):
        label = NAMES[number % 2]
        image = images.add(made(number))
        rows.append({"image": image, "name": names(label, number), "label": label,
                     "group": image, "width": 64, "height": 64})  # fmt: skip
    return {one.kind: one for one in shortcuts(images, pd.DataFrame(rows))}


def own_folders(label, number):
    return f"{label}/{number}.jpg"


@pytest.mark.parametrize("kind", ["camera", "time"])
def test_a_camera_or_a_day_for_each_class_is_flagged_with_pictures(tmp_path, kind):
    def made(number):
        own = number % 2
        told = {"camera": f"Maker {own}", "time": f"2026:0{1 + own}:15 12:00:00"}
        return with_exif(picture(number, (64, 64)), **{kind: told[kind]})

    found = judged(tmp_path, made, own_folders)
    assert found[kind].flagged
    assert found[kind].balanced_accuracy > 0.95
    assert {one.label for one in found[kind].examples} == set(NAMES)
    assert len(found[kind].examples) == 12
    assert found[kind].examples[0].said.startswith({"camera": "camera Maker", "time": "day "}[kind])
    assert "folder" not in found  # the classes' own


def test_cameras_that_took_both_classes_are_no_shortcut(tmp_path):
    def made(number):
        return with_exif(picture(number, (64, 64)), camera=f"Maker {number // 2 % 2}")

    found = judged(tmp_path, made, own_folders)
    assert not found["camera"].flagged
    assert found["camera"].examples == ()
    assert "time" not in found  # nobody tells it


def test_folders_that_tell_the_class_without_being_it_are_flagged(tmp_path):
    def by_day(label, number):
        return f"day-{number % 2}-{number // 2 % 3}/{number}.jpg"

    found = judged(tmp_path, lambda number: picture(number, (64, 64)), by_day)
    assert found["folder"].flagged
