"""Sheets of pictures as PNG files: panels in rows, each under its title, on white."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tasks.pictures.opencv import cv2
from tasks.publish.svg import short, silent

# In pixels.
SIDE, GAP, LINE = 150, 8, 14
DOTS_PER_INCH = 96
BLACK, RIGHT, WRONG = "#1d2025", "#1f5fa8", "#b02a37"
LONGEST_LINE = 24
# What is smaller is drawn with its pixels to be seen.
FEW_PIXELS = 64
NARROW_GAP = 3


class Panel(NamedTuple):
    """One picture of a sheet: (height, width, 3) uint8 RGB and what stands above it."""

    pixels: np.ndarray
    title: str = ""
    colour: str = BLACK


def save(path: Path, panels: Sequence[Panel], columns: int, title: str) -> Path:
    """A PNG of the panels in rows of `columns`, with a title over all."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    columns = min(columns, len(panels))
    words = LINE * (1 + max(panel.title.count("\n") for panel in panels)) + GAP // 2
    canvas = _canvas([panel.pixels for panel in panels], columns, SIDE, GAP, words)
    below_title = 2 * LINE
    height, width = canvas.shape[0] + below_title, canvas.shape[1]
    # A class name may look like a formula, and have letters that the font lacks.
    with mpl.rc_context({"text.parse_math": False}), silent():
        figure = Figure(figsize=(width / DOTS_PER_INCH, height / DOTS_PER_INCH), dpi=DOTS_PER_INCH)
        figure.figimage(canvas, 0, 0, origin="upper")
        write = _writer(figure, width, height)
        write(GAP, GAP, short(title, 22 * columns), size=9, weight="bold", va="top")
        for place, panel in enumerate(panels):
            row, column = divmod(place, columns)
            middle = column * (SIDE + GAP) + SIDE / 2
            foot = below_title + row * (words + SIDE + GAP) + words - GAP / 4
            lines = "\n".join(short(line, LONGEST_LINE) for line in panel.title.split("\n"))
            write(middle, foot, lines, color=panel.colour, size=8, ha="center", va="bottom")
        figure.savefig(path, dpi=DOTS_PER_INCH, metadata={"Software": None})
    return path


def _writer(figure: Any, width: int, height: int) -> Callable[..., Any]:
    """A function that writes text at (x, y) in pixels from the upper left."""
    return lambda x, y, text, **how: figure.text(x / width, 1 - y / height, text, **how)


def grid(pictures: Sequence[np.ndarray], columns: int, side: int) -> np.ndarray:
    """One picture of many, each with its longer side `side`, without any words."""
    return _canvas(pictures, min(columns, len(pictures)), side, NARROW_GAP, 0)[
        :-NARROW_GAP, :-NARROW_GAP
    ]


def _canvas(
    pictures: Sequence[np.ndarray], columns: int, side: int, gap: int, above: int
) -> np.ndarray:
    """White, with the pictures in rows; each has `above` pixels over it and a gap after it."""
    rows = -(-len(pictures) // columns)
    down, across = above + side + gap, side + gap
    canvas = np.full((rows * down, columns * across, 3), 255, np.uint8)
    for place, picture in enumerate(pictures):
        small = fitted(picture, side)
        height, width = small.shape[:2]
        top = place // columns * down + above
        left = place % columns * across + (side - width) // 2
        canvas[top : top + height, left : left + width] = small
    return canvas


def fitted(pixels: np.ndarray, side: int) -> np.ndarray:
    """The picture with its longer side exactly `side`; of few pixels each one can be seen."""
    scale = side / max(pixels.shape[:2])
    size = [max(1, round(length * scale)) for length in pixels.shape[1::-1]]
    large = cv2.INTER_NEAREST if max(pixels.shape[:2]) < FEW_PIXELS else cv2.INTER_LINEAR
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else large)


def encoded(pixels: np.ndarray, suffix: str = ".png") -> bytes:
    """RGB pixels as the bytes of a picture file."""
    return cv2.imencode(suffix, cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))[1].tobytes()
