import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.clean import duplicate_groups
from tasks.clean.copies import candidates, descriptors, geometry, looks
from tasks.clean.copies.agreement import agreement, canvas
from tasks.clean.copies.describing import SCENE, edit
from tasks.clean.copies.finding import COLUMNS
from tasks.clean.copies.trimming import content_box
from tests.tasks.clean.copies.pairs import tiles

EDGES = st.tuples(*[st.integers(0, 40)] * 4)


@given(EDGES, st.integers(0, 255))
def test_bars_and_frames_are_cut_off_to_the_pixel(edges, colour):
    inner = tiles()[4][:100, :120, 0]
    top, bottom, left, right = edges
    framed = np.pad(inner, ((top, bottom), (left, right)), constant_values=colour)
    found = content_box(framed)
    # A first line that happens to have the bar's colour goes with it.
    assert found[0] >= top
    assert found[1] <= top + 100
    assert (found[1] - found[0]) * (found[3] - found[2]) > 0.9 * inner.size


def test_a_bar_with_words_goes_with_its_words():
    inner = tiles()[4][:100, :120, 0]
    bar = np.full((20, 120), 255, np.uint8)
    bar[6:14, 10:40:3] = 0
    assert content_box(np.vstack([bar, inner]))[0] == 20


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (40, 60)])
def test_one_colour_is_left_as_it_is(shape):
    assert content_box(np.full(shape, 7, np.uint8)) == (0, shape[0], 0, shape[1])


def test_mirrored_descriptors_are_those_of_mirrored_pictures():
    greys = np.stack([looks.seen(one.astype(np.float32)).grey for one in tiles()])
    found = descriptors.mirrored(descriptors.of_pictures(greys))
    expected = descriptors.of_pictures(greys[:, :, ::-1])
    each = np.repeat(np.arange(len(found)), 2).reshape(-1, 2)
    assert descriptors.cosines(found, expected, each).min() > 0.99


MAPS = st.tuples(*[st.floats(-0.2, 0.2)] * 6).map(
    lambda v: np.array([[1 + v[0], v[1], v[2]], [v[3], 1 + v[4], v[5]], [0, 0, 1]])
)


@given(MAPS)
def test_what_two_squares_share_is_told_both_ways_round(matrix):
    one, other = geometry.shares(matrix), geometry.shares(np.linalg.inv(matrix))
    assert one == pytest.approx(other[::-1])
    assert geometry.unit_of_pixels(geometry.pixels_of_unit(matrix, 128), 128) == pytest.approx(
        matrix
    )


def test_a_picture_agrees_with_itself_and_with_no_other():
    greys = [canvas(looks.seen(one.astype(np.float32)).grey) for one in tiles()]
    same = agreement(greys[0], greys[0], np.eye(3))
    assert same.correlation == pytest.approx(1)
    assert (same.first, same.second, same.changed, same.askew) == (1, 1, 0, 0)
    assert same.copies
    assert not any(agreement(greys[0], other, np.eye(3)).copies for other in greys[1:])


class Pair:
    """A row of finding.find's table: the whole of both pictures, agreeing wholly."""

    def __init__(self, matrix, **changes):
        told = dict.fromkeys(COLUMNS, 0.0) | {
            "correlation": 1.0, "first": 1.0, "second": 1.0, "colours": 1.0,
            "first_bottom": 1.0, "first_right": 1.0, "second_bottom": 1.0, "second_right": 1.0,
        }  # fmt: skip
        told |= {f"m{r}{c}": matrix[r][c] for r in range(3) for c in range(3)}
        self.__dict__.update(told | changes)


TURN = geometry.turned(np.eye(3), 5)


@pytest.mark.parametrize(
    ("matrix", "changes", "size", "expected"),
    [
        (np.eye(3), {}, (100, 80), "saved again"),
        (np.eye(3), {}, (50, 40), "resized"),
        (np.eye(3), {}, (100, 60), "squashed"),
        (geometry.MIRROR, {}, (100, 80), "mirrored"),
        (geometry.MIRROR, {"second": 0.75}, (100, 80), "mirrored, 25 % cropped"),
        (np.eye(3), {"second_top": 0.1}, (100, 80), "framed, squashed"),
        (np.eye(3), {"colours": 0.2}, (100, 80), "other colours"),
        (np.eye(3), {"changed": 0.2}, (100, 80), SCENE),
        (np.eye(3), {"changed": 0.2, "colours": 0.2}, (100, 80), SCENE),
        (TURN, {}, (100, 100), "turned by 5°"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_edit_is_told_in_words(matrix, changes, size, expected):
    first = (100, 100) if matrix is TURN else (100, 80)
    assert edit(Pair(matrix, **changes), first, size) == expected


def test_of_thousands_that_are_the_same_one_is_compared():
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 255, (2, 256)).astype(np.float32)
    assert duplicate_groups.unlike(np.tile(one, (5000, 1))) == [0]
    assert duplicate_groups.unlike(np.stack([one, other, one, other])) == [0, 1]
    many = rng.integers(0, 255, (200, 256)).astype(np.float32)
    assert len(duplicate_groups.unlike(many)) == duplicate_groups.MOST_UNLIKE


@pytest.mark.parametrize("new", [3, 60])
def test_neighbours_are_those_that_a_search_of_all_would_find(new):
    rng = np.random.default_rng(1)
    centres = rng.normal(0, 40, (20, 256))
    held = np.clip(centres[np.arange(60) % 20] + rng.normal(0, 9, (60, 256)), -127, 127)
    held = np.rint(held).astype(np.int8)
    asked = np.arange(60) >= 60 - new
    found = {tuple(sorted(pair)) for pair in candidates._nearest(held, held, asked, 2)}
    expected = {(min(n, m), max(n, m)) for n in np.flatnonzero(asked) for m in range(60)
                if n != m and n % 20 == m % 20}  # fmt: skip
    assert found == expected
