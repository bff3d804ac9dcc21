"""Eight pictures and what the model says of them: blue where it is right, red where wrong."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage.images import ImageStore
from tasks.evaluate.close_up import selection
from tasks.publish.figures import picture_sheets
from tasks.publish.galleries import Tile, records
from tasks.publish.inputs import ReportInputs
from tasks.publish.thumbnails import pixels_of
from tasks.publish.wording import percent

COLUMNS = 4


@dataclass(frozen=True)
class Toned(Tile):
    """A tile whose words are `good` or `bad`."""

    tone: str = "good"


def tiles(inputs: ReportInputs) -> list[Toned]:
    """The eight as the page shows them."""
    rows = {row["image"]: row for row in records(inputs.shown_predictions())}
    return [_tile(rows[image]) for image in selection.eight(inputs.predictions)]


def save(path: Path, inputs: ReportInputs) -> None:
    """The eight as a PNG; without one where no picture can be opened any more."""
    panels = _panels(inputs.images, tiles(inputs))
    if panels:
        title = f"{len(panels)} {inputs.shown} pictures: blue is right, red is wrong (true class)"
        picture_sheets.save(path, panels, COLUMNS, title)


def _panels(store: ImageStore, shown: list[Toned]) -> list[picture_sheets.Panel]:
    pictures = [(tile, pixels_of(store, tile.image)) for tile in shown]
    colours = {"good": picture_sheets.RIGHT, "bad": picture_sheets.WRONG}
    return [
        picture_sheets.Panel(pixels, "\n".join(tile.lines), colours[tile.tone])
        for tile, pixels in pictures
        if pixels is not None
    ]


def _tile(row: dict[str, Any]) -> Toned:
    said = f"{row['predicted']} {percent(row['probability'])}"
    if row["correct"]:
        alternative = f"{row['name']}: {said}, right"
        return Toned(row["image"], row["name"], alternative, (said,), row["label"])
    truth = f"({row['label']})"
    alternative = f"{row['name']}: {said}, wrong, {row['label']}"
    return Toned(row["image"], row["name"], alternative, (said, truth), row["label"], "bad")
