import tracemalloc

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from tasks.clean import likeness
from tasks.clean.facts import perceptual_hash, thumbnail
from tasks.decode import decode
from tests.tasks.clean.encoded import encoded, photo, scenes


def seen(data: bytes) -> tuple[int, np.ndarray]:
    pixels = decode(data)
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return perceptual_hash(grey), likeness.brightness(thumbnail(pixels)[None])[0]


def groups_of(pictures: list[bytes]) -> list[int]:
    hashes, thumbnails = zip(*map(seen, pictures), strict=True)
    return likeness.groups(np.array(hashes, np.uint64), np.stack(thumbnails)).tolist()


def correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson's; pictures of one colour are alike, and like nothing else."""
    flat = [len(set(one.tolist())) == 1 for one in (first, second)]
    return float(all(flat)) if any(flat) else float(np.corrcoef(first, second)[0, 1])


def brute_force(hashes: np.ndarray, thumbnails: np.ndarray) -> list[list[int]]:
    """All pairs that are near-duplicates; a collection with one on the very edge is not judged."""
    pairs = [
        (i, j, correlation(thumbnails[i], thumbnails[j]))
        for i in range(len(hashes))
        for j in range(i + 1, len(hashes))
        if (int(hashes[i]) ^ int(hashes[j])).bit_count() <= likeness.HASH_DISTANCE
    ]
    # The code counts with 32 bits, the judge with 64.
    assume(all(abs(alike - likeness.CORRELATION) > 1e-6 for _, _, alike in pairs))
    return [[i, j] for i, j, alike in pairs if alike >= likeness.CORRELATION]


@st.composite
def collections(draw):
    """Hashes and thumbnails of a few originals, met again with bits and pixels changed."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    count, originals = draw(st.integers(1, 40)), draw(st.integers(1, 5))
    hashes = rng.integers(0, 2**64, originals, np.uint64, endpoint=False)
    small = rng.integers(0, 256, (originals, 256)).astype(float)
    small[rng.random(originals) < 0.2] = 128
    which = rng.integers(0, originals, count)
    found = []
    for original in which:
        value = int(hashes[original])
        for bit in rng.choice(64, rng.integers(0, 5), replace=False):
            value ^= 1 << int(bit)
        found.append(value)
    noise = rng.normal(0, 1, (count, 256)) * rng.choice([0, 3, 8, 11, 30], (count, 1))
    return np.array(found, np.uint64), np.clip(small[which] + noise, 0, 255).astype(np.uint8)


@given(collections())
@settings(max_examples=150, deadline=None)
def test_near_duplicates_are_exactly_the_pairs_of_a_brute_force(collection):
    expected = brute_force(*collection)
    assert likeness.near_duplicates(*collection).tolist() == expected


@given(collections())
@settings(max_examples=60, deadline=None)
def test_groups_are_the_chains_of_pairs(collection):
    numbers = list(range(len(collection[0])))
    for i, j in brute_force(*collection):
        numbers = [numbers[i] if number == numbers[j] else number for number in numbers]
    found = likeness.groups(*collection).tolist()
    assert len(set(zip(numbers, found, strict=True))) == len(set(numbers)) == len(set(found))


@given(st.integers(0, 2**64 - 1), st.sets(st.integers(0, 63), max_size=6))
@settings(max_examples=200, deadline=None)
def test_no_arrangement_of_changed_bits_is_missed(value, bits):
    changed = value ^ sum(1 << bit for bit in bits)
    same = np.tile(np.arange(256, dtype=np.uint8), (2, 1))
    pairs = likeness.near_duplicates(np.array([value, changed], np.uint64), same)
    assert len(pairs) == (len(bits) <= likeness.HASH_DISTANCE)


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_pictures_to_be_alike_are_no_error(count):
    hashes, thumbnails = np.zeros(count, np.uint64), np.zeros((count, 256), np.uint8)
    assert likeness.near_duplicates(hashes, thumbnails).shape == (0, 2)
    assert len(likeness.groups(hashes, thumbnails)) == count


def test_memory_stays_bounded_when_all_pictures_are_alike():
    count = 700
    hashes = np.full(count, 1 << 63, np.uint64)
    thumbnails = np.tile(np.arange(256, dtype=np.uint8), (count, 1))
    tracemalloc.start()
    numbers = likeness.groups(hashes, thumbnails)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert set(numbers.tolist()) == {0}
    # All pairs at once would gather 500 MB of thumbnails.
    assert peak < 150 * 2**20


@pytest.mark.parametrize("name", ["china.jpg", "flower.jpg"])
def test_a_picture_saved_again_smaller_or_in_another_format_is_the_same(name):
    original = photo(name)
    smaller = original.resize((320, 213), Image.Resampling.LANCZOS)
    versions = [
        encoded(original, "JPEG", quality=95),
        encoded(original, "JPEG", quality=30),
        encoded(original, "PNG"),
        encoded(original, "WEBP", quality=50),
        encoded(smaller, "JPEG", quality=85),
        encoded(original.resize((200, 200)), "JPEG", quality=70),
    ]
    assert set(groups_of(versions)) == {0}


def drawn(seed: int) -> Image.Image:
    """A symmetric sign: one shape in another, in the middle of a pale page."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (128, 128), tuple(rng.integers(180, 256, 3)))
    draw = ImageDraw.Draw(image)
    for half in (rng.integers(30, 60, 2), rng.integers(10, 25, 2)):
        box = (*(64 - half), *(63 + half))
        shape = draw.ellipse if rng.random() < 0.5 else draw.rectangle
        shape(tuple(map(int, box)), fill=tuple(rng.integers(0, 180, 3)))
    return image


def sky() -> Image.Image:
    """From one blue to another, smoothly."""
    shade = np.linspace(120, 220, 300)[:, None].repeat(400, axis=1)
    return Image.fromarray(np.stack([shade * 0.6, shade * 0.8, shade], axis=2).astype(np.uint8))


def test_smooth_and_symmetric_pictures_saved_again_are_the_same():
    for picture in (*map(drawn, range(20)), sky()):
        versions = [
            encoded(picture, "PNG"),
            encoded(picture, quality=95),
            encoded(picture, quality=60),
        ]
        assert set(groups_of(versions)) == {0}


def test_plain_pictures_that_differ_in_noise_only_are_not_all_compared():
    rng = np.random.default_rng(1)
    grey = [(128 + rng.normal(0, 2, (60, 60))).astype(np.uint8) for _ in range(300)]
    assert len({perceptual_hash(one) for one in grey}) == len(grey)


def test_different_photographs_are_different():
    pictures = [encoded(scene) for scene in scenes(24)]
    assert len(set(groups_of(pictures))) == len(pictures)


def vehicle(wheel: int, gap: int, saddle: int) -> bytes:
    """A dark machine on two wheels in the middle of a white page."""
    image = Image.new("RGB", (200, 150), "white")
    draw = ImageDraw.Draw(image)
    for x in (100 - gap, 100 + gap):
        draw.ellipse((x - wheel, 110 - wheel, x + wheel, 110 + wheel), outline="black", width=8)
    draw.polygon([(100 - gap, 110), (100, saddle), (100 + gap, 110)], fill=(60, 20, 20))
    draw.line((100 + gap, 110, 85 + gap, saddle - 20), fill="black", width=7)
    return encoded(image)


def test_alike_compositions_are_not_the_same_picture():
    pictures = [
        vehicle(wheel, gap, saddle) for wheel in (22, 34) for gap in (42, 56) for saddle in (55, 85)
    ]
    again = [encoded(Image.fromarray(decode(one)), "JPEG", quality=60) for one in pictures]
    numbers = groups_of(pictures + again)
    assert len(set(numbers)) == len(pictures)
    assert numbers[: len(pictures)] == numbers[len(pictures) :]
