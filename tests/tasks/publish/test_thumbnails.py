import base64

import numpy as np
import pytest

from storage.images import ImageStore
from tasks.pictures.decoding import decode
from tasks.pictures.opencv import cv2
from tasks.publish import thumbnails
from tasks.publish.thumbnails import Album
from tests.tasks.publish import sample


@pytest.fixture
def store(workspace):
    return ImageStore(workspace.images)


def pixels_of(uri):
    kind, _, data = uri.partition(";base64,")
    return kind, decode(base64.b64decode(data))


def test_a_large_picture_becomes_a_small_webp_of_the_same_shape():
    kind, pixels = pixels_of(thumbnails.thumbnail(sample.picture(1, (600, 300))))
    assert kind == "data:image/webp"
    assert pixels.shape == (72, 144, 3)
    large = decode(sample.picture(1, (600, 300)))
    assert abs(pixels.mean(axis=(0, 1)) - large.mean(axis=(0, 1))).max() < 4


def test_a_tiny_picture_stays_as_it_is():
    tiny = np.random.default_rng(0).integers(0, 255, (8, 8, 3), np.uint8)
    data = cv2.imencode(".png", tiny)[1].tobytes()
    kind, pixels = pixels_of(thumbnails.thumbnail(data))
    assert kind == "data:image/png"
    assert (pixels == decode(data)).all()


def test_what_is_no_picture_has_no_thumbnail():
    assert thumbnails.thumbnail(b"<html>") is None


def test_the_first_that_fit_are_taken_in_order(store):
    names = [store.add(sample.picture(number)) for number in range(6)]
    everything = thumbnails.thumbnails(store, names, 10**6)
    assert list(everything) == names
    room = sum(len(everything[name]) + thumbnails.OVERHEAD for name in names[:3])
    assert list(thumbnails.thumbnails(store, names, room)) == names[:3]
    assert thumbnails.thumbnails(store, names, 0) == {}


def test_missing_and_broken_pictures_are_passed_over(store):
    good = store.add(sample.picture(1))
    broken = store.add(b"\xff\xd8\xff not a picture")
    assert list(thumbnails.thumbnails(store, ["gone.jpg", broken, good], 10**6)) == [good]


def test_an_album_hands_out_each_picture_once():
    album = Album(["a", "b", "c", "d"], {"a": "A", "b": "B", "c": "C"})
    assert [album.first("b"), album.first("b")] == ["B", ""]
    assert album.rest() == {0: "A", 2: "C"}
    assert album.left_out == 1
    assert not album.has("d")
