"""Views of a picture: what their names say is what is seen."""

import numpy as np
import pytest

from tasks.features.pixels import Pixels
from tasks.pictures import views
from tasks.pictures.parameters import Augmentation

TURNED = Augmentation(rotation=30, zoom=0.2)
PIXELS = np.random.default_rng(1).uniform(0, 255, (16, 16, 3)).astype(np.float32)


def test_a_name_is_a_picture_and_a_view():
    for view in (views.PLAIN, views.MIRROR, *views.augmented(TURNED, 2, seed=1)):
        name = views.named("ab12.jpg", view)
        assert views.parted(name) == ("ab12.jpg", view)
    assert views.named("ab12.jpg", views.PLAIN) == "ab12.jpg"


def test_names_of_views_say_how_they_were_drawn():
    some = views.augmented(TURNED, 3, seed=1)
    assert len(set(some)) == 3
    assert some[:2] == views.augmented(TURNED, 2, seed=1)
    assert not set(some) & set(views.augmented(TURNED, 3, seed=2))
    assert not set(some) & set(views.augmented(Augmentation(rotation=31), 3, seed=1))
    assert views.augmented(None, 3, seed=1) == ()


def test_a_view_is_the_same_every_time_and_its_own_for_every_picture():
    (view,) = views.augmented(TURNED, 1, seed=1)
    names = [views.named(image, view) for image in ("a.jpg", "b.jpg")]
    first, other = (views.seen(PIXELS, name, TURNED) for name in names)
    assert (first == views.seen(PIXELS, names[0], TURNED)).all()
    assert (first != other).any()
    assert first.shape == PIXELS.shape


def test_the_mirror_image_and_the_picture_itself():
    assert (views.seen(PIXELS, "a.jpg", None) == PIXELS).all()
    assert (views.seen(PIXELS, "a.jpg~mirror", None) == PIXELS[:, ::-1]).all()


@pytest.mark.parametrize(("channels", "shape"), [(3, (16, 16, 3)), (1, (16, 16, 1))])
def test_pixels_as_features_are_whole_numbers(channels, shape):
    prepared = Pixels(16, channels).prepare()
    kept = prepared.each(PIXELS)
    assert (kept.shape, kept.dtype, prepared.space.shape) == (shape, np.uint8, shape)
    colours = PIXELS if channels == 3 else PIXELS @ np.array([0.299, 0.587, 0.114])
    assert np.abs(kept.reshape(16, 16, -1) - colours.reshape(16, 16, -1)).max() <= 0.501
