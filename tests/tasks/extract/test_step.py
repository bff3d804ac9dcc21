"""What the step hands to the extractor: the pixels of every view, every picture decoded once."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from storage.errors import StorageDamaged
from storage.images import ImageStore
from tasks.extract.job import batch_size
from tasks.features.picture_cache import loader
from tasks.pictures import resizing, views
from tasks.pictures.parameters import Augmentation, Square
from tests.pictures import picture

TURNED = Augmentation(rotation=30)
VIEWS = (views.PLAIN, *views.augmented(TURNED, 4, seed=1))


@pytest.fixture
def images(workspace):
    return ImageStore(workspace.images)


@pytest.fixture
def decoded(monkeypatch):
    """The names of the pictures that are decoded from here on, in order."""
    seen, real = [], resizing.load

    def watched(images, name, side):
        seen.append(name)
        time.sleep(0.005)  # others would come in
        return real(images, name, side)

    monkeypatch.setattr(resizing, "load", watched)
    return seen


@pytest.mark.parametrize("threads", [1, 4])
def test_a_picture_is_decoded_once_for_all_its_views(images, decoded, threads):
    stored = [images.add(picture(seed)) for seed in range(20)]
    names = [views.named(image, view) for image in stored for view in VIEWS]
    load = loader(images, Square(32), TURNED, held=2 * threads)
    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(load, names))
    assert sorted(decoded) == sorted(stored)
    for name, shown in zip(names, found, strict=True):
        alone = resizing.load(images, views.parted(name)[0], Square(32))
        assert (shown == views.seen(alone, name, TURNED)).all()


def test_only_the_last_pictures_are_kept(images, decoded):
    first, second, third = (images.add(picture(seed)) for seed in range(3))
    load = loader(images, Square(32), None, held=2)
    for name in (first, second, third, second, first):
        load(name)
    assert decoded == [first, second, third, first]


def test_every_view_of_a_damaged_picture_fails_until_it_is_whole_again(images):
    image = images.add(picture(1))
    whole = images.read(image)
    images.path(image).unlink()
    images.path(image).write_bytes(whole[:50])
    load = loader(images, Square(32), TURNED, held=8)
    names = [views.named(image, view) for view in VIEWS]
    with ThreadPoolExecutor(4) as pool:
        failures = [future.exception() for future in [pool.submit(load, name) for name in names]]
    assert [type(failure) for failure in failures] == [StorageDamaged] * len(VIEWS)
    images.path(image).write_bytes(whole)
    assert load(names[0]).shape == (32, 32, 3)


@pytest.mark.parametrize(
    ("side", "pictures"), [(16, 256), (32, 256), (64, 64), (96, 28), (128, 16), (512, 16)]
)
def test_a_batch_has_about_as_many_pixels_whatever_the_side(side, pictures):
    assert batch_size(side) == pictures
