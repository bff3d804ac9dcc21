"""What there is to look at: files in the report's folder, and their place on its page."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from storage import atomic
from storage.folders import (
    AUGMENTED,
    EIGHT,
    FEATURE_MAPS,
    GRAD_CAM,
    KERNELS,
    NETWORK_DRAWING,
    NETWORK_TABLE,
)
from tasks.publish import thumbnails
from tasks.publish.figures import (
    augmentation_sheet,
    feature_map_sheet,
    grad_cam_overlay,
    kernels,
    network_drawing,
    network_table,
    picture_sheets,
    random_predictions,
)
from tasks.publish.inputs import ReportInputs
from tasks.publish.svg import Chart
from tasks.publish.thumbnails import pixels_of

# Pictures are small by construction; the drawing of a network takes 2,000 bytes for each layer.
MOST_LAYERS = 200
SHEET_SIDE = 8 * 100


class Plate(NamedTuple):
    """A picture of the page as a data URI, its text alternative and what stands below it."""

    uri: str
    alternative: str
    text: str


def write(folder: Path, inputs: ReportInputs) -> None:
    """The figures as files; what cannot be made of these inputs is left out."""
    random_predictions.save(folder / EIGHT, inputs)
    if inputs.network:
        network_drawing.save(folder / NETWORK_DRAWING, inputs.network)
        atomic.write_bytes(folder / NETWORK_TABLE, network_table.table(inputs.network).encode())
    if inputs.augmented:
        augmentation_sheet.save(folder / AUGMENTED, inputs.augmented)
    if inputs.heat_maps:
        grad_cam_overlay.save(folder / GRAD_CAM, inputs.heat_maps, _names(inputs))
    if inputs.look is None:
        return
    name = _names(inputs).get(inputs.look.picture, inputs.look.picture)
    chosen = pixels_of(inputs.images, inputs.look.picture)
    if chosen is not None:
        kernels.save(folder / KERNELS, chosen, name)
    if inputs.look.maps is not None:
        feature_map_sheet.save(folder / FEATURE_MAPS, inputs.look.maps, name)


def section(inputs: ReportInputs) -> dict[str, Any]:
    """The same for the page, in the form in which its template takes them."""
    return {
        "eight": random_predictions.tiles(inputs),
        "kernels": _kernels(inputs),
        "feature_maps": _feature_maps(inputs),
        "augmented": _augmented(inputs.augmented),
        "network": _network(inputs),
        "network_layers": len(inputs.network),
    }


def _network(inputs: ReportInputs) -> Chart | None:
    fits = 0 < len(inputs.network) <= MOST_LAYERS
    return network_drawing.chart(inputs.network) if fits else None


def _kernels(inputs: ReportInputs) -> list[Plate]:
    pixels = pixels_of(inputs.images, inputs.look.picture) if inputs.look else None
    if pixels is None or inputs.look is None:
        return []
    name = _names(inputs).get(inputs.look.picture, "")
    found = []
    for panel in kernels.panels(pixels):
        what = panel.title.partition("\n")[0]
        found.append(_plate(panel.pixels, f"{name}: {what}", panel.title))
    return found


def _feature_maps(inputs: ReportInputs) -> Plate | None:
    if inputs.look is None or inputs.look.maps is None:
        return None
    maps = inputs.look.maps
    text = feature_map_sheet.title(maps, _names(inputs).get(inputs.look.picture, "the picture"))
    channels = ", ".join(map(str, maps.channels))
    return _plate(feature_map_sheet.grid(maps), text, f"{text}. From the upper left: {channels}.")


def _augmented(rows: Sequence[np.ndarray]) -> Plate | None:
    if not rows:
        return None
    changed = augmentation_sheet.CHANGED
    return _plate(
        augmentation_sheet.grid(rows),
        f"{len(rows) // (changed + 1)} training pictures, each followed by {changed} changed ones",
        "In each row a training picture as it is, then as training sees it.",
    )


def _names(inputs: ReportInputs) -> dict[str, str]:
    table = inputs.predictions
    return dict(zip(table["image"], table["name"], strict=True))


def _plate(pixels: np.ndarray, alternative: str, text: str) -> Plate:
    uri = thumbnails.thumbnail(picture_sheets.encoded(pixels), SHEET_SIDE)
    assert uri is not None  # encoded a moment ago
    return Plate(uri, alternative, text)
