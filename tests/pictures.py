"""Small real pictures, made anew for every test."""

import io
import os
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

LONG_AGO = 1_500_000_000


def picture(seed: int, size: tuple[int, int] = (48, 40), hue: int = 0) -> bytes:
    """A JPEG of smooth noise: different for every seed, tinted by `hue` so that classes differ."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (6, 5, 3), dtype=np.uint8)
    coarse[:, :, hue % 3] = coarse[:, :, hue % 3] // 4 + 190
    image = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def write_folders(root: Path, per_class: int, classes=("ant", "bee"), first: int = 0) -> Path:
    """A folder of class folders with `per_class` different pictures each."""
    for hue, name in enumerate(classes):
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(first, first + per_class):
            path = root / name / f"{name}.{number}.jpg"
            path.write_bytes(picture(1000 * hue + number, hue=hue))
            os.utime(path, (LONG_AGO, LONG_AGO))
    return root


def write_kaggle_zip(path: Path, per_class: int, classes=("cat", "dog")) -> Path:
    """A zip shaped like Kaggle's: pictures named `cat.0.jpg` in train.zip inside the zip."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        for hue, name in enumerate(classes):
            for number in range(per_class):
                archive.writestr(
                    f"train/{name}.{number}.jpg", picture(1000 * hue + number, hue=hue)
                )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("train.zip", inner.getvalue())
        archive.writestr("sampleSubmission.csv", "id,label\n1,0.5\n")
    return path
