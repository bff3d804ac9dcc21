"""The feature maps of one layer on one picture, bright where a channel answers most."""

from pathlib import Path

import numpy as np

from tasks.evaluate.close_up.feature_maps import FeatureMaps
from tasks.pictures.opencv import cv2
from tasks.publish.figures import picture_sheets

COLUMNS = 8
PAGE_SIDE = 96


def title(maps: FeatureMaps, name: str) -> str:
    """Layer, shape and how many of its channels are shown."""
    shape = " x ".join(map(str, maps.shape))
    count = f"{len(maps.channels)} of {maps.shape[2]} channels, those with most variance first"
    return f"{maps.layer} ({shape}) on {name}: {count}"


def save(path: Path, maps: FeatureMaps, name: str) -> None:
    """The maps as a PNG."""
    panels = [
        picture_sheets.Panel(pixels, f"channel {channel}")
        for channel, pixels in zip(maps.channels, _coloured(maps), strict=True)
    ]
    picture_sheets.save(path, panels, COLUMNS, title(maps, name))


def grid(maps: FeatureMaps) -> np.ndarray:
    """The maps as one picture without words."""
    return picture_sheets.grid(_coloured(maps), COLUMNS, PAGE_SIDE)


def _coloured(maps: FeatureMaps) -> list[np.ndarray]:
    return [
        cv2.cvtColor(cv2.applyColorMap(one, cv2.COLORMAP_VIRIDIS), cv2.COLOR_BGR2RGB)
        for one in maps.pixels
    ]
