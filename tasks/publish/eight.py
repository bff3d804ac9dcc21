"""Eight pictures and what the model says of them: blue where it is right, red where wrong."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage.images import ImageStore
from tasks.evaluate import chosen
from tasks.publish import sheets
from tasks.publish.charts import percent
from tasks.publish.galleries import Tile, records
from tasks.publish.inputs import ReportInputs
from tasks.publish.stored import pixels_of

COLUMNS = 4


@dataclass(frozen=True)
class Toned(Tile):
    """A tile whose words are `good` or `bad`."""

    tone: str = "good"


def tiles(inputs: ReportInputs) -> list[Toned]:
    """The eight as the page shows them."""
    rows = {row["image"]: row for row in records(inputs.shown_predictions())}
    return [_tile(rows[image]) for image in chosen.eight(inputs.predictions)]


def save(path: Path, inputs: ReportInputs) -> None:
    """The eight as a PNG; without one where no picture can be opened any more."""
    panels = _panels(inputs.images, tiles(inputs))
    if panels:
        title = f"{len(panels)} {inputs.shown} pictures: blue is right, red is wrong (true class)"
        sheets.save(path, panels, COLUMNS, title)


def _panels(store: ImageStore, shown: list[Toned]) -> list[sheets.Panel]:
    pictures = [(tile, pixels_of(store, tile.image)) for tile in shown]
    colours = {"good": sheets.RIGHT, "bad": sheets.WRONG}
    return [
        sheets.Panel(pixels, "\n".join(tile.lines), colours[tile.tone])
        for tile, pixels in pictures
        if pixels is not None
    ]


def _tile(row: dict[str, Any]) -> Toned:
    said = f"{row['predicted']} {percent(row['probability'])}"
    if row["correct"]:
        return Toned(row["image"], row["name"], f"{row['name']}: {said}, right", (said,))
    truth = f"({row['label']})"
    alternative = f"{row['name']}: {said}, wrong, {row['label']}"
    return Toned(row["image"], row["name"], alternative, (said, truth), "bad")
