import itertools
import tracemalloc

import cv2
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from tasks.clean import duplicate_groups
from tasks.clean.facts import perceptual_hashes, thumbnail
from tasks.pictures.decoding import decode
from tests.project import examples
from tests.tasks.clean.encoded import encoded, photo, scenes


def seen(data: bytes) -> tuple[tuple[int, int], np.ndarray]:
    pixels = decode(data)
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return perceptual_hashes(grey), duplicate_groups.brightness(thumbnail(pixels)[None])[0]


def groups_of(pictures: list[bytes]) -> list[int]:
    hashes, thumbnails = zip(*map(seen, pictures), strict=True)
    return duplicate_groups.groups(np.array(hashes, np.uint64), np.stack(thumbnails)).tolist()


def correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson's; pictures of one colour are alike, and like nothing else."""
    # What is left of one colour when its light is taken away are the last bits of floats.
    flat = [np.linalg.norm(one - one.mean()) < 1e-3 for one in (first, second)]
    return float(all(flat)) if any(flat) else float(np.corrcoef(first, second)[0, 1])


def brute_force(hashes: np.ndarray, thumbnails: np.ndarray) -> list[int]:
    """Group numbers by chains of pairs; a collection with a pair on the very edge is not judged."""
    numbers = list(range(len(hashes)))
    for column, looked_at in enumerate((thumbnails, duplicate_groups.details(thumbnails))):
        for i, j in itertools.combinations(range(len(hashes)), 2):
            differing = int(hashes[i, column]) ^ int(hashes[j, column])
            if differing.bit_count() <= duplicate_groups.HASH_DISTANCE:
                alike = correlation(looked_at[i], looked_at[j])
                # The code counts with 32 bits, the judge with 64.
                assume(abs(alike - duplicate_groups.CORRELATION) > 1e-5)
                if alike >= duplicate_groups.CORRELATION:
                    numbers = [numbers[i] if one == numbers[j] else one for one in numbers]
    return numbers


@st.composite
def collections(draw):
    """Hashes and thumbnails of a few originals, met again with bits and pixels changed."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    count, originals = draw(st.integers(1, 40)), draw(st.integers(1, 5))
    hashes = rng.integers(0, 2**64, (originals, 2), np.uint64, endpoint=False)
    small = rng.integers(0, 256, (originals, 256)).astype(float)
    small[rng.random(originals) < 0.2] = 128
    which = rng.integers(0, originals, count)
    found = []
    for original in which:
        values = hashes[original].tolist()
        # The first hash is further off sometimes, as that of a drawing is.
        for column, most in enumerate((rng.choice([5, 30]), 5)):
            for bit in rng.choice(64, rng.integers(0, most), replace=False):
                values[column] ^= 1 << int(bit)
        found.append(values)
    noise = rng.normal(0, 1, (count, 256)) * rng.choice([0, 3, 8, 11, 30], (count, 1))
    return np.array(found, np.uint64), np.clip(small[which] + noise, 0, 255).astype(np.uint8)


@given(collections())
@examples(150)
def test_groups_are_the_chains_of_a_brute_force(collection):
    expected = brute_force(*collection)
    found = duplicate_groups.groups(*collection).tolist()
    assert len(set(zip(expected, found, strict=True))) == len(set(expected)) == len(set(found))


@given(st.integers(0, 2**64 - 1), st.sets(st.integers(0, 63), max_size=6))
@examples(200)
def test_no_arrangement_of_changed_bits_is_missed(value, bits):
    changed = value ^ sum(1 << bit for bit in bits)
    same = np.tile(np.random.default_rng(1).integers(0, 256, 256, np.uint8), (2, 1))
    far = [0, 2**64 - 1]
    for hashes in ([[value, far[0]], [changed, far[1]]], [[far[0], value], [far[1], changed]]):
        first, second = duplicate_groups.groups(np.array(hashes, np.uint64), same)
        assert (first == second) == (len(bits) <= duplicate_groups.HASH_DISTANCE)


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_pictures_to_be_alike_are_no_error(count):
    hashes, thumbnails = np.zeros((count, 2), np.uint64), np.zeros((count, 256), np.uint8)
    assert len(duplicate_groups.groups(hashes, thumbnails)) == count


def test_memory_stays_bounded_when_all_pictures_are_alike():
    count = 5000
    hashes = np.full((count, 2), 1 << 63, np.uint64)
    thumbnails = np.tile(np.arange(256, dtype=np.uint8), (count, 1))
    tracemalloc.start()
    numbers = duplicate_groups.groups(hashes, thumbnails)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert set(numbers.tolist()) == {0}
    # To remember all pairs would take 200 MB more, their thumbnails 12 GB.
    assert peak < 180 * 2**20


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


def test_pictures_that_differ_in_light_and_noise_only_are_not_all_compared():
    """Skies, lit surfaces: each keeps its bits of chance, or thousands of them would be alike."""
    rng = np.random.default_rng(1)
    down, across = np.mgrid[0:60, 0:60] / 59 - 0.5
    for light in (0 * down, down, across**2 + down**2):
        shades = [128 + rng.uniform(30, 60) * light for _ in range(200)]
        grey = [(one + rng.normal(0, 4, one.shape)).astype(np.uint8) for one in shades]
        first, bold = zip(*map(perceptual_hashes, grey), strict=True)
        assert len(set(first)) == len(set(bold)) == len(grey)


def test_surfaces_in_the_same_light_are_different_pictures():
    rng = np.random.default_rng(2)
    down, across = np.mgrid[0:256, 0:256] / 255 - 0.5
    pictures = []
    for number in range(60):
        shade = rng.uniform(150, 190) - rng.uniform(50, 70) * (across**2 + down**2)
        shade += rng.normal(0, 4, shade.shape)
        if number % 2:  # a dark spot: what a classifier would be asked for
            x, y = map(int, rng.integers(20, 236, 2))
            cv2.circle(shade, (x, y), int(rng.integers(3, 6)), 70, -1)
        pictures.append(encoded(Image.fromarray(np.clip(shade, 0, 255).astype(np.uint8))))
    assert len(set(groups_of(pictures))) == len(pictures)


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
