"""Random changes of pictures: what a map means, and that both ways to apply it agree."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.pictures.augmentation import maps, warp
from tasks.pictures.parameters import Augmentation

SIDE = 21


def picture(side=SIDE, channels=3):
    import cv2

    noise = np.random.default_rng(4).integers(0, 256, (side, side, channels), dtype=np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 2).reshape(side, side, channels)


def drawn(count=50, side=SIDE, seed=1, **amounts):
    return maps(Augmentation(**amounts), count, side, np.random.default_rng(seed))


def test_without_amounts_nothing_changes():
    for one in drawn():
        assert (warp(picture(), one, "nearest") == picture()).all()


def test_a_mirrored_picture_is_its_mirror_image():
    changed = [warp(picture(), one, "nearest") for one in drawn(horizontal_flip=True)]
    mirrored = [bool((one == picture()[:, ::-1]).all()) for one in changed]
    kept = [bool((one == picture()).all()) for one in changed]
    assert all(a != b for a, b in zip(mirrored, kept, strict=True))
    assert 10 < sum(mirrored) < 40


@pytest.mark.parametrize(("name", "axis"), [("width_shift", 0), ("height_shift", 1)])
def test_shifts_move_by_at_most_their_share(name, axis):
    moved = drawn(200, **{name: 0.25})[:, :, 2]
    assert np.abs(moved[:, 1 - axis]).max() < 1e-5
    assert 0.2 * SIDE < np.abs(moved[:, axis]).max() <= 0.25 * SIDE


def test_a_turn_keeps_the_middle_and_lengths():
    middle = np.array([(SIDE - 1) / 2, (SIDE - 1) / 2, 1])
    for one in drawn(rotation=40):
        assert one @ middle == pytest.approx(middle[:2], abs=1e-4)
        assert np.linalg.det(one[:, :2]) == pytest.approx(1, abs=1e-5)
        assert abs(np.degrees(np.arctan2(one[1, 0], one[0, 0]))) <= 40


def test_a_slant_moves_rows_by_its_sine_and_keeps_columns_where_they_are():
    slants = drawn(200, shear=30)[:, :, :2]
    assert slants[:, 0, 1] == pytest.approx(np.zeros(200))
    assert slants[:, 1, 1] == pytest.approx(np.ones(200))
    assert slants[:, 0, 0] ** 2 + slants[:, 1, 0] ** 2 == pytest.approx(np.ones(200), rel=1e-5)
    most = np.degrees(np.arcsin(np.abs(slants[:, 1, 0]))).max()
    assert 27 < most <= 30.001


def test_zoom_changes_each_side_by_its_own_factor():
    scale = drawn(200, zoom=0.2)[:, [0, 1], [0, 1]]
    assert 0.8 <= scale.min() < 0.82
    assert 1.18 < scale.max() <= 1.2
    assert not np.allclose(scale[:, 0], scale[:, 1])


def test_the_same_seed_draws_the_same_maps():
    everything = {"rotation": 20, "shear": 10, "zoom": 0.3, "horizontal_flip": True}
    assert (drawn(**everything) == drawn(**everything)).all()
    assert (drawn(**everything) != drawn(seed=2, **everything)).any()


@pytest.mark.parametrize("fill_mode", ["nearest", "reflect", "constant"])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_layer_in_the_graph_sees_what_opencv_sees(fill_mode, channels):
    from tasks.train.keras_parts.augmentation_layer import warping

    pictures = np.stack([picture(60, channels)] * 20)
    how = drawn(20, 60, rotation=30, width_shift=0.2, shear=15, zoom=0.3, horizontal_flip=True)
    theirs = np.asarray(warping(fill_mode)(pictures, how))
    ours = np.stack([warp(one, each, fill_mode) for one, each in zip(pictures, how, strict=True)])
    # OpenCV places samples on a grid of 1/32 pixel and rounds.
    assert np.abs(theirs - ours).mean() < 0.5
    assert np.percentile(np.abs(theirs - ours), 99) < 3


@given(
    st.builds(
        Augmentation,
        rotation=st.floats(0, 180),
        width_shift=st.floats(0, 0.9),
        height_shift=st.floats(0, 0.9),
        shear=st.floats(0, 80),
        zoom=st.floats(0, 0.9),
        horizontal_flip=st.booleans(),
        fill_mode=st.sampled_from(["nearest", "reflect", "constant"]),
    ),
    st.integers(1, 40),
)
def test_any_amounts_give_a_picture_of_the_same_shape_and_range(augmentation, side):
    pixels = np.full((side, side, 3), 200, np.uint8)
    (one,) = maps(augmentation, 1, side, np.random.default_rng(0))
    changed = warp(pixels, one, augmentation.fill_mode)
    assert changed.shape == pixels.shape
    assert np.isfinite(one).all()
    if augmentation.fill_mode != "constant":
        assert (changed == 200).all()


@pytest.mark.parametrize("wrong", [{"rotation": 181}, {"zoom": 1}, {"fill_mode": "wrap"}, {"x": 1}])
def test_amounts_out_of_range_are_refused(wrong):
    with pytest.raises(ValidationError):
        Augmentation(**wrong)
