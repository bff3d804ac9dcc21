import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageDraw, ImageFont

from benchmarks.quality.edits import EDITS
from storage.images import ImageStore
from tasks.clean.copies import finding
from tasks.clean.parameters import LOOKING
from tasks.running import counters
from tests.tasks.clean.copies.pairs import as_jpeg, tiles

# Not the benchmark's.
SEED = 7
# Of the twelve pictures one is all sky, and three hold little but a blurred ground.
MISSED = {"blurred": 1, "brighter": 1, "captioned": 1, "cropped": 1, "rotated": 1, "tilted": 3}


@pytest.mark.parametrize("kind", [kind for kind in EDITS if kind != "two at once"])
def test_an_edited_copy_is_found_and_nothing_else(found, kind):
    draw = np.random.default_rng(SEED)
    originals = tiles()
    copies = [as_jpeg(EDITS[kind](one, draw), 75) for one in originals]
    pairs = found([*originals, *copies])
    expected = {frozenset((n, n + len(originals))) for n in range(len(originals))}
    assert not pairs - expected
    assert len(expected - pairs) <= MISSED.get(kind, 0)


def test_two_edits_at_once_are_seen_through(found):
    originals = tiles()
    draw = np.random.default_rng(SEED)
    copies = [EDITS["mirrored"](EDITS["cropped"](one, draw), draw) for one in originals[:6]] + [
        EDITS["framed"](EDITS["grey"](one, draw), draw) for one in originals[6:]
    ]
    pairs = found([*originals, *copies])
    assert pairs == {frozenset((n, n + 12)) for n in range(12)}


def with_words(pixels):
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    for y in range(10, 213, 40):
        draw.text((8, y), "PHOTO AGENCY 2026", fill="white", font=ImageFont.load_default(20))
    return np.asarray(image)


def test_pictures_with_the_same_words_over_them_are_not_joined(found):
    assert found([with_words(one) for one in tiles()]) == set()


def on_white(seed):
    """A made-up product: a shape of its own on white, in the middle."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (300, 220), "white")
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((60, 60, 240, 170), 20, fill=tuple(rng.integers(0, 200, 3).tolist()))
    for _ in range(25):
        x, y = rng.integers(70, 220), rng.integers(70, 150)
        draw.ellipse((x, y, x + 14, y + 10), fill=tuple(rng.integers(0, 255, 3).tolist()))
    return np.asarray(image)


def test_products_on_white_are_told_apart(found):
    pictures = [on_white(seed) for seed in range(12)]
    mirrored = [one[:, ::-1] for one in pictures[:3]]
    assert found([*pictures, *mirrored]) == {frozenset((n, n + 12)) for n in range(3)}


def test_what_shows_nothing_is_joined_with_nothing(found):
    rng = np.random.default_rng(3)
    plain = [np.full((120, 160, 3), level, np.uint8) for level in (0, 90, 255)]
    noise = [rng.integers(0, 256, (120, 160, 3), np.uint8) for _ in range(4)]
    ramp = np.linspace(0, 255, 160).astype(np.uint8)
    skies = [np.repeat(np.roll(ramp, n)[None, :, None], 120, 0).repeat(3, 2) for n in (0, 3)]
    assert found([*plain, *noise, *skies]) == set()


def test_digits_are_no_copies_of_each_other(found):
    from sklearn.datasets import load_digits

    images = load_digits().images[:200]
    large = [
        np.asarray(Image.fromarray((one * 15.9).astype(np.uint8)).resize((96, 96)))
        for one in images
    ]
    assert found([one[..., None].repeat(3, 2) for one in large]) == set()


def lit(seed, scratched):
    """A surface under one lamp, with a grain and marks of its own."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.linspace(-1, 1, 200), np.linspace(-1, 1, 200))
    light = 170 - 70 * (x * x + y * y)
    grain = np.kron(rng.normal(0, 6, (100, 100)), np.ones((2, 2)))
    image = Image.fromarray((light + grain).clip(0, 255).astype(np.uint8)).convert("RGB")
    if scratched:
        draw = ImageDraw.Draw(image)
        ends = rng.integers(20, 180, 4).tolist()
        draw.line(ends, fill=(40, 40, 40), width=3)
    return np.asarray(image)


def test_lit_surfaces_are_told_apart(found):
    assert found([lit(seed, seed % 2) for seed in range(60)]) == set()


def test_new_pictures_are_compared_with_the_old_ones_which_are_not_looked_at_again(workspace):
    store = ImageStore(workspace.images)
    old = [store.add(as_jpeg(one)) for one in tiles()]
    with counters.counting() as first:
        assert finding.find(workspace, old, LOOKING).pairs.empty
    new = store.add(as_jpeg(tiles()[4][:, ::-1]))
    with counters.counting() as second:
        pairs = finding.find(workspace, [*old, new], LOOKING).pairs
    assert set(pairs.loc[0, ["image", "other"]]) == {old[4], new}
    assert first["looked_at"] == 12
    assert second["looked_at"] == 1
    assert 1 <= second["compared"] <= 6
    with counters.counting() as third:
        again = finding.find(workspace, [*old, new], LOOKING).pairs
        fewer = finding.find(workspace, [*old[:6], new], LOOKING).pairs
    assert third == {}
    pd.testing.assert_frame_equal(again, pairs, check_dtype=False)
    pd.testing.assert_frame_equal(fewer, pairs, check_dtype=False)


def test_pictures_that_were_never_compared_with_each_other_are(workspace):
    store = ImageStore(workspace.images)
    names = [store.add(as_jpeg(one)) for one in tiles()]
    turned = [store.add(as_jpeg(one[:, ::-1])) for one in tiles()]
    for some in (names, turned):
        assert finding.find(workspace, some, LOOKING).pairs.empty
    assert len(finding.find(workspace, [*names, *turned], LOOKING).pairs) == 12
