"""A network as a drawing: a box per layer from input to output, and what feeds what."""

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.publish.figures.network_table import HEADER, Row, rows_of, shape, totals
from tasks.publish.svg import (
    FAINT,
    INK,
    LINE,
    SERIES,
    Chart,
    new_figure,
    recoloured,
    settings,
    short,
    silent,
    svg,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# In inches.
WIDTH, HEIGHT, GAP, GUTTER, MARGIN = 2.6, 0.42, 0.2, 0.44, 0.2
MOST_COLUMNS = 3
FEWEST_IN_COLUMN = 8
LONGEST_NAME, LONGEST_MODEL, LONGEST_LINE = 25, 14, 39
TRAINED, FROZEN = SERIES[0], FAINT
# A drawing that stands alone is on white.
ALONE = {INK: "#1d2025", LINE: "#c9c9c4", FROZEN: "#8d929a", TRAINED: "#2563a8"}
TITLE = "The network, from pictures to probabilities"
Point = tuple[float, float]


def chart(network: Sequence[Row]) -> Chart:
    """The drawing for the page; the numbers beside it are the table of layers."""
    first, last = network[0]["name"], network[-1]["name"]
    told = f"{TITLE}: {len(network)} layers, {first} to {last}. {'; '.join(totals(network))}"
    with settings():
        drawn = svg(_figure(network), told)
    return Chart(TITLE, told, drawn, HEADER, rows_of(network), note=_note(network))


def save(path: Path, network: Sequence[Row]) -> Path:
    """The drawing as an SVG that stands alone."""
    stream = io.StringIO()
    with settings(), silent():
        figure = _figure(network)
        figure.patch.set(visible=True, facecolor="white")
        figure.savefig(stream, format="svg", metadata={"Date": None})
    path.write_text(recoloured(stream.getvalue(), ALONE), encoding="utf-8")
    return path


def _note(network: Sequence[Row]) -> str:
    trained = sum(row["trainable"] for row in network)
    every = sum(row["parameters"] for row in network)
    return (
        f"{trained:,} of {every:,} parameters are trained: those of the layers in blue. On the "
        "right of a box are the model it belongs to and its parameters."
    )


def _figure(network: Sequence[Row]) -> "Figure":
    columns = min(MOST_COLUMNS, math.ceil(len(network) / FEWEST_IN_COLUMN))
    in_column = math.ceil(len(network) / columns)
    width = columns * (WIDTH + GUTTER) - GUTTER + 2 * MARGIN
    height = in_column * (HEIGHT + GAP) + 2 * MARGIN
    figure = new_figure(width, height)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    corners = [_corner(number, in_column) for number in range(len(network))]
    for number, row in enumerate(network):
        _box(axes, row, corners[number])
        for before in row["after"]:
            _arrow(axes, _way(before, number, corners))
    return figure


def _corner(number: int, in_column: int) -> Point:
    """Left and top of a box: down the first column, then the next one from its top."""
    column, place = divmod(number, in_column)
    return MARGIN + column * (WIDTH + GUTTER), MARGIN + GAP / 2 + place * (HEIGHT + GAP)


def _box(axes: Any, row: Row, corner: Point) -> None:
    from matplotlib.patches import Rectangle

    left, top = corner
    edge = (TRAINED if row["trainable"] else FROZEN) if row["parameters"] else LINE
    strong = 1.8 if row["trainable"] else 1.0
    axes.add_patch(
        Rectangle(corner, WIDTH, HEIGHT, facecolor="none", edgecolor=edge, linewidth=strong)
    )
    texts = {"va": "center", "size": 7}
    start, end, upper, lower = left + 0.07, left + WIDTH - 0.07, top + 0.14, top + 0.3
    line = short(f"{row['kind']} {shape(row)}", LONGEST_LINE)
    parameters = f"{row['parameters']:,}" if row["parameters"] else ""
    axes.text(start, upper, short(row["name"], LONGEST_NAME), va="center", size=8, weight="bold")
    axes.text(end, upper, short("".join(row["inside"][-1:]), LONGEST_MODEL), ha="right", **texts)
    axes.text(start, lower, line, **texts)
    axes.text(end, lower, parameters, ha="right", **texts)


def _way(source: int, target: int, corners: list[Point]) -> list[Point]:
    """The points of a line from one box to another that crosses no third."""
    (left, top), (to_left, to_top) = corners[source], corners[target]
    middle, to_middle = left + WIDTH / 2, to_left + WIDTH / 2
    bottom = top + HEIGHT
    if target == source + 1 and left == to_left:
        return [(middle, bottom), (to_middle, to_top)]
    if target == source + 1:
        between = to_left - GUTTER / 2
        below, above = bottom + GAP / 2, to_top - GAP / 2
        return [(middle, bottom), (middle, below), (between, below), (between, above),
                (to_middle, above), (to_middle, to_top)]  # fmt: skip
    # Past other boxes: along the side of the column, into the side of the target.
    right, from_side, to_side = left + WIDTH, top + HEIGHT / 2, to_top + HEIGHT / 2
    # Neighbouring lines keep apart.
    beside = right + GUTTER / 8 * (1 + source % 3)
    if left == to_left:
        return [(right, from_side), (beside, from_side), (beside, to_side), (right, to_side)]
    over = to_top - GAP / 3
    before = to_left - GUTTER / 4
    return [(right, from_side), (beside, from_side), (beside, over), (before, over),
            (before, to_side), (to_left, to_side)]  # fmt: skip


def _arrow(axes: Any, points: list[Point]) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path as Way

    axes.add_patch(
        FancyArrowPatch(
            path=Way(points), arrowstyle="-|>", mutation_scale=7, color=INK, linewidth=0.8,
            fill=False, shrinkA=0, shrinkB=0,
        )
    )  # fmt: skip
