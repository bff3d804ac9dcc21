"""Edited copies of pictures, of eighteen kinds and at random strengths: what the web does to them.

Each kind is a function from (height, width, 3) uint8 RGB and a generator to the edited pixels;
`save` writes them in the format and quality that the kind calls for.
"""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

Edit = Callable[[np.ndarray, np.random.Generator], np.ndarray]

WORDS = ("When it is", "look at this", "ONLY TODAY", "my best friend", "© pictures", "so true")


def same(rgb: np.ndarray, _draw: np.random.Generator) -> np.ndarray:
    """Nothing but saving again."""
    return rgb


def resized(rgb: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Smaller, or a little larger."""
    return _sized(rgb, draw.uniform(0.3, 0.8) if draw.random() < 0.8 else draw.uniform(1.2, 1.8))


def squashed(rgb: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Another shape: one side 15 to 35 % shorter."""
    factor = draw.uniform(0.65, 0.85)
    height, width = rgb.shape[:2]
    size = (
        (width, round(height * factor)) if draw.random() < 0.5 else (round(width * factor), height)
    )
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)


def brighter(rgb: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """More light: scaled and lifted, whites cut."""
    return _clipped(rgb * draw.uniform(1.1, 1.4) + draw.uniform(5, 35))


def darker(rgb: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Less light, and flatter."""
    return _clipped(rgb * draw.uniform(0.5, 0.8) + draw.uniform(0, 20))


def grey(rgb: np.ndarray, _draw: np.random.Generator) -> np.ndarray:
    """Without colour."""
    return np.repeat(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)


def tinted(rgb: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Another cast of colour, as filters of phones give it."""
    return _clipped(rgb * draw.uniform(0.7, 1.2, 3))


def blurred(rgb: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Out of focus: a Gaussian of 0.4 to 1 % of the longer side."""
    return cv2.GaussianBlur(rgb, (0, 0), max(rgb.shape[:2]) * draw.uniform(0.004, 0.01))


def mirrored(rgb: np.ndarray, _draw: np.random.Generator) -> np.ndarray:
    """Left and right swapped."""
    return np.ascontiguousarray(rgb[:, ::-1])


def trimmed(rgb: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """A tenth of the area cut off, at random sides."""
    return _cropped(rgb, draw, 0.9)


def cropped(rgb: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """A quarter of the area cut off, at random sides."""
    return _cropped(rgb, draw, 0.75)


def framed(rgb: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """A frame of one colour around it, 4 to 12 % of the longer side."""
    edge = round(max(rgb.shape[:2]) * draw.uniform(0.04, 0.12))
    colour = [int(value) for value in draw.choice([[0] * 3, [255] * 3, draw.integers(0, 256, 3)])]
    return cv2.copyMakeBorder(rgb, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=colour)


def letterboxed(rgb: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Bars above and below, or at both sides, to a square or wider."""
    height, width = rgb.shape[:2]
    bar = round(max(abs(width - height) / 2, 0.12 * max(height, width)))
    upright = height > width
    above, beside = (0, bar) if upright else (bar, 0)
    colour = [0] * 3 if draw.random() < 0.7 else [255] * 3
    return cv2.copyMakeBorder(rgb, above, above, beside, beside, cv2.BORDER_CONSTANT, value=colour)


def captioned(rgb: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """A line of words in a bar below or above, or two lines over the picture."""
    height, width = rgb.shape[:2]
    if draw.random() < 0.5:
        bar = np.full((round(0.16 * height), width, 3), 255, np.uint8)
        _write(bar, draw, (0, 0, 0), 0.65)
        return np.vstack([bar, rgb] if draw.random() < 0.5 else [rgb, bar])
    edited = rgb.copy()
    _write(edited, draw, (255, 255, 255), 0.15)
    _write(edited, draw, (255, 255, 255), 0.93)
    return edited


def watermarked(rgb: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Words laid over it at a slant, half seen through, again and again."""
    height, width = rgb.shape[:2]
    layer = np.zeros((height, width), np.uint8)
    scale = max(height, width) / 500
    thick = max(1, round(2 * scale))
    for row in range(4):
        for column in range(3):
            at = (round(width * column / 3), round(height * (row + 0.6) / 4))
            words = WORDS[int(draw.integers(len(WORDS)))]
            cv2.putText(layer, words, at, cv2.FONT_HERSHEY_SIMPLEX, scale, 255, thick)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), draw.uniform(10, 35), 1.1)
    seen = cv2.warpAffine(layer, turn, (width, height))[..., None] / 255 * draw.uniform(0.3, 0.6)
    return _clipped(rgb * (1 - seen) + 255 * seen)


def rotated(rgb: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Turned by 2 to 8 degrees, with black or stretched corners, or cut to what is left."""
    height, width = rgb.shape[:2]
    degrees = draw.uniform(2, 8) * draw.choice([-1, 1])
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    border = cv2.BORDER_CONSTANT if draw.random() < 0.5 else cv2.BORDER_REPLICATE
    return cv2.warpAffine(rgb, turn, (width, height), borderMode=border)


def tilted(rgb: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Seen from the side: every corner moved by up to 8 % of its side."""
    height, width = rgb.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners + draw.uniform(-0.08, 0.08, (4, 2)).astype(np.float32) * (width, height)
    seen = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    return cv2.warpPerspective(rgb, seen, (width, height), borderMode=cv2.BORDER_REPLICATE)


def twice(rgb: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Two of the others, one after the other."""
    first, second = draw.choice(
        [name for name in EDITS if name not in ("saved again", TWICE)], 2, replace=False
    )
    return EDITS[str(second)](EDITS[str(first)](rgb, draw), draw)


TWICE = "two at once"
EDITS: dict[str, Edit] = {
    "saved again": same,
    "resized": resized,
    "squashed": squashed,
    "brighter": brighter,
    "darker": darker,
    "grey": grey,
    "tinted": tinted,
    "blurred": blurred,
    "mirrored": mirrored,
    "trimmed": trimmed,
    "cropped": cropped,
    "framed": framed,
    "letterboxed": letterboxed,
    "captioned": captioned,
    "watermarked": watermarked,
    "rotated": rotated,
    "tilted": tilted,
    TWICE: twice,
}


def save(path: Path, rgb: np.ndarray, draw: np.random.Generator) -> None:
    """As a JPEG of quality 40 to 90: whoever edits a picture saves it again."""
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(draw.integers(40, 91))]
    if not cv2.imwrite(str(path), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), quality):
        raise OSError(f"expected to write {path}, could not")


def _sized(rgb: np.ndarray, factor: float) -> np.ndarray:
    kind = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=kind)


def _cropped(rgb: np.ndarray, draw: np.random.Generator, area: float) -> np.ndarray:
    height, width = rgb.shape[:2]
    across = draw.uniform(area, 1) if draw.random() < 0.5 else np.sqrt(area)
    rows, columns = round(height * area / across), round(width * across)
    top, left = draw.integers(0, height - rows + 1), draw.integers(0, width - columns + 1)
    return np.ascontiguousarray(rgb[top : top + rows, left : left + columns])


def _write(onto: np.ndarray, draw: np.random.Generator, colour: tuple[int, ...], at: float) -> None:
    height, width = onto.shape[:2]
    words, scale = WORDS[int(draw.integers(len(WORDS)))], width / 320
    place = (round(0.06 * width), round(at * height))
    thick = max(1, round(2 * scale))
    cv2.putText(onto, words, place, cv2.FONT_HERSHEY_DUPLEX, scale, colour, thick, cv2.LINE_AA)


def _clipped(values: np.ndarray) -> np.ndarray:
    return np.rint(values).clip(0, 255).astype(np.uint8)
