"""Grad-CAM laid over its picture."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from storage.images import ImageStore
from storage.names import as_file_name
from tasks.pictures.opencv import cv2
from tasks.publish.figures.picture_sheets import encoded
from tasks.publish.thumbnails import pixels_of

SIDE = 320
SHARE_OF_PICTURE = 0.55


def overlays(store: ImageStore, heat: Mapping[str, np.ndarray]) -> dict[str, bytes]:
    """JPEGs by stored name: each picture under its heat map, blue is cold and red is hot."""
    found = {}
    for name, one in heat.items():
        pixels = pixels_of(store, name, SIDE)
        if pixels is not None:
            found[name] = encoded(overlay(pixels, one), ".jpg")
    return found


def overlay(pixels: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """The picture under a heat map of any size, which covers the whole of it."""
    height, width = pixels.shape[:2]
    large = cv2.resize(heat, (width, height), interpolation=cv2.INTER_LINEAR)
    coloured = cv2.cvtColor(cv2.applyColorMap(large, cv2.COLORMAP_TURBO), cv2.COLOR_BGR2RGB)
    return cv2.addWeighted(pixels, SHARE_OF_PICTURE, coloured, 1 - SHARE_OF_PICTURE, 0)


def save(folder: Path, pictures: Mapping[str, bytes], names: Mapping[str, str]) -> None:
    """One file per picture, numbered in their order and named after where they were found."""
    folder.mkdir()
    for number, (image, data) in enumerate(pictures.items(), 1):
        stem = as_file_name(Path(names[image].replace("\\", "/")).stem)
        (folder / f"{number:02} {stem}.jpg").write_bytes(data)
