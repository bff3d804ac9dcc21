import io

import numpy as np
import pytest
from PIL import Image

from storage.errors import StorageDamaged
from storage.images import ImageStore
from storage.statuses import Status
from tasks.clean import facts
from tasks.pictures.light import light_of
from tasks.pictures.parameters import MAX_PIXELS
from tasks.running.progress import silent
from tests.tasks.clean.encoded import encoded, flag, scenes


@pytest.fixture
def images(workspace):
    return ImageStore(workspace.images)


@pytest.fixture
def store(workspace):
    return facts.store_of(workspace, MAX_PIXELS)


def compute_missing(images, store, names) -> int:
    """Facts of the names that have none yet; how many pictures were decoded."""
    known = store.index()
    decoded = []
    missing = [name for name in names if name not in known]
    facts.compute(images, store, missing, max_pixels=MAX_PIXELS, advance=decoded.append)
    return sum(decoded)


def test_a_usable_picture_has_its_size_format_and_likeness():
    found = facts.facts_of(encoded(flag(), "PNG"), MAX_PIXELS)
    assert found | {"hash": "", "bold_hash": "", "thumbnail": b""} == {
        "status": "kept",
        "reason": "",
        "format": "PNG",
        "width": 40,
        "height": 20,
        "hash": "",
        "bold_hash": "",
        "thumbnail": b"",
        "taken": "",
        "camera": "",
        "remark": "",
        **light_of(np.asarray(flag()))._asdict(),
    }
    assert len(found["hash"]) == len(found["bold_hash"]) == 16
    assert len(found["thumbnail"]) == facts.THUMBNAIL_SIDE**2 * 3


def test_size_is_that_of_the_picture_turned_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    found = facts.facts_of(encoded(flag(), "JPEG", exif=exif), MAX_PIXELS)
    assert (found["width"], found["height"]) == (20, 40)


def test_an_unusable_picture_has_a_reason_and_no_size():
    found = facts.facts_of(b"<html>", MAX_PIXELS)
    assert found["status"] == Status.UNDECODABLE
    assert found["reason"] == "HTML or XML, not a picture"
    assert (found["width"], found["height"]) == (0, 0)


def test_one_pixel_has_facts():
    assert facts.facts_of(encoded(flag().crop((0, 0, 1, 1)), "PNG"), MAX_PIXELS)["width"] == 1


def test_the_second_time_nothing_is_decoded(images, store):
    names = [images.add(encoded(scene)) for scene in scenes(5)]
    assert compute_missing(images, store, names) == 5
    before = facts.load(store)
    for name in names:
        images.path(name).unlink()
    assert compute_missing(images, store, names) == 0
    assert facts.load(store).equals(before)


def test_only_new_pictures_are_decoded(images, store):
    data = [encoded(scene) for scene in scenes(6)]
    compute_missing(images, store, [images.add(one) for one in data[:4]])
    assert compute_missing(images, store, [images.add(one) for one in data]) == 2
    assert len(facts.load(store)) == 6


def test_a_picture_that_cannot_be_used_is_not_tried_again(images, store):
    names = [images.add(b"junk"), images.add(b"")]
    assert compute_missing(images, store, names) == 2
    assert compute_missing(images, store, names) == 0
    assert facts.load(store).loc[names, "status"].tolist() == ["undecodable", "empty"]


def test_facts_of_several_shards_come_as_one_row_per_picture(images, store):
    names = [images.add(encoded(scene)) for scene in scenes(4)]
    for some in (names[:2], names[1:]):
        facts.compute(images, store, some, max_pixels=MAX_PIXELS, advance=silent)
    assert sorted(facts.load(store).index) == sorted(names)


def test_a_damaged_shard_is_as_good_as_absent(images, store):
    data = [encoded(scene) for scene in scenes(3)]
    for one in data:
        compute_missing(images, store, [images.add(one)])
    store.paths()[0].write_bytes(b"")
    assert compute_missing(images, store, [images.add(one) for one in data]) == 1


def test_another_limit_of_pixels_has_facts_of_its_own(workspace):
    assert facts.store_of(workspace, 10).folder != facts.store_of(workspace, 11).folder


def test_facts_are_those_of_the_pixels_not_of_the_file():
    png, bmp = (facts.facts_of(encoded(flag(), kind), MAX_PIXELS) for kind in ("PNG", "BMP"))
    assert png | {"format": ""} == bmp | {"format": ""}
    assert Image.open(io.BytesIO(encoded(flag(), "BMP"))).format == "BMP"


def test_a_damaged_picture_in_the_store_is_an_error_not_a_fact(images, store):
    name = images.add(encoded(flag(), "PNG"))
    path = images.path(name)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(StorageDamaged, match=f"{name} is damaged: run again"):
        compute_missing(images, store, [name])
    assert store.index() == {}


def test_what_a_decoder_says_is_a_remark_of_its_picture(workspace, capfd):
    images, store = ImageStore(workspace.images), facts.store_of(workspace, MAX_PIXELS)
    whole = [encoded(scene) for scene in scenes(3)]
    odd = whole[1][:-2] + b"abcdefgh" * 5 + whole[1][-2:]
    names = [images.add(data) for data in (whole[0], odd, whole[2], whole[2][:-2])]
    facts.compute(images, store, names, max_pixels=MAX_PIXELS, advance=silent)
    remarks = facts.load(store).loc[names, "remark"].tolist()
    assert remarks[0] == remarks[2] == ""
    assert remarks[1].startswith("Corrupt JPEG data: ")
    assert remarks[3] == "only its end mark is missing"
    assert capfd.readouterr().err == ""
