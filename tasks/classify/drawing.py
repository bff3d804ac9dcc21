"""Pictures with what a model says of them written on: `pikachu: 97.3% (correct)`.

The text is white on a dark band; green where the picture's name says the same, amber where it says
otherwise.
"""

import os
from collections import Counter
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from storage import atomic
from storage.errors import ParameterError
from storage.names import as_file_name
from tasks.classify.output_files import try_folder
from tasks.pictures.opencv import cv2

WIDTH = 400
# Wide enough for every screen, and no thin stripe becomes a picture of a million rows.
TALLEST = 1600
LARGEST_TEXT, SMALLEST_TEXT = 22, 11
MARGIN = 8
BAND = LARGEST_TEXT + 2 * MARGIN
BAND_COLOUR = (0, 0, 0, 176)
OUTLINE = 2
COLOURS = {True: (110, 231, 135), False: (255, 191, 71), None: (255, 255, 255)}
FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG"}
JPEG_QUALITY = 92


def for_the_screen(rgb: np.ndarray) -> np.ndarray:
    """(height, WIDTH, 3) uint8: enlarged or made smaller, its aspect kept.

    What would be taller than TALLEST is made to fit in, and what the band of text would cover for
    the most part stands below it; both are filled up with black.
    """
    height, width = rgb.shape[:2]
    scale = min(WIDTH / width, TALLEST / height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    picture = cv2.resize(rgb, size, interpolation=method)
    top = BAND if size[1] < 2 * BAND else 0
    if size[0] == WIDTH and not top:
        return picture
    canvas = np.zeros((top + size[1], WIDTH, 3), np.uint8)
    left = (WIDTH - size[0]) // 2
    canvas[top:, left : left + size[0]] = picture
    return canvas


def with_text(screen: np.ndarray, text: str, *, correct: bool | None) -> Any:
    """A Pillow image: `screen` with `text` on a band at its top."""
    from PIL import Image, ImageDraw

    image = Image.fromarray(screen)
    pen = ImageDraw.Draw(image, "RGBA")
    pen.rectangle((0, 0, WIDTH, BAND - 1), fill=BAND_COLOUR)
    fitting, font = _fitted(text)
    pen.text(
        (MARGIN, BAND / 2), fitting, font=font, anchor="lm", fill=COLOURS[correct],
        stroke_width=OUTLINE, stroke_fill=(0, 0, 0),
    )  # fmt: skip
    return image


def _fitted(text: str) -> tuple[str, Any]:
    """The text, shortened in front if it must be, and the largest font in which it fits."""
    room = WIDTH - 2 * MARGIN
    for size in range(LARGEST_TEXT, SMALLEST_TEXT - 1, -1):
        font = _font(size)
        if font.getlength(text) <= room:
            return text, font
    # The probability stands at the end, and a class may have two hundred letters.
    while font.getlength(f"…{text}") > room:
        text = text[1 + len(text) // 50 :]
    return f"…{text}", font


def _font(size: int) -> Any:
    """DejaVu Sans, which matplotlib carries: Latin, Greek and Cyrillic with all their accents."""
    import matplotlib as mpl
    from PIL import ImageFont

    file = Path(mpl.get_data_path(), "fonts", "ttf", "DejaVuSans-Bold.ttf")
    return ImageFont.truetype(file, size)


class Drawings:
    """A folder of drawn pictures; nothing that lies in it is ever overwritten."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._next: Counter[str] = Counter()

    @classmethod
    def into(cls, folder: Path) -> "Drawings":
        """The folder, made if it is not there; ParameterError where it cannot be written to."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            try_folder(folder)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ParameterError(
                f"expected a folder for drawn pictures at {folder}, found that it cannot be made "
                f"or written to ({reason}): name another one with --drawn"
            ) from error
        return cls(folder)

    def add(
        self, screen: np.ndarray, place: PurePosixPath, text: str, *, correct: bool | None
    ) -> Path:
        """The file in which the picture from `place` was drawn, named after it."""
        stem, suffix = _stem_and_suffix(as_file_name(str(place)))
        image = with_text(screen, text, correct=correct)
        temporary = atomic.sibling(self._folder / f"drawn{suffix}")
        with atomic.explained(self._folder):
            try:
                image.save(temporary, FORMATS[suffix.lower()], quality=JPEG_QUALITY)
                return self._placed(temporary, stem, suffix)
            finally:
                temporary.unlink(missing_ok=True)

    def _placed(self, temporary: Path, stem: str, suffix: str) -> Path:
        """`ant_1.jpg` for `ant/1.jpg`; `ant_1 (2).jpg` if there is one already."""
        # File systems that do not tell capitals apart are common.
        key = f"{stem}{suffix}".casefold()
        for number in count(self._next[key] + 1):
            target = self._folder / f"{stem}{f' ({number})' if number > 1 else ''}{suffix}"
            if _took(target, temporary):
                self._next[key] = number
                return target
        raise AssertionError


def _stem_and_suffix(name: str) -> tuple[str, str]:
    path = PurePosixPath(name)
    return (path.stem, path.suffix) if path.suffix.lower() in FORMATS else (name, ".jpg")


def _took(target: Path, temporary: Path) -> bool:
    """Whether the file got this name; False if there is one of it, however late that was made."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        return False
    except OSError:  # a file system without links, as FAT
        try:
            target.touch(exist_ok=False)
        except FileExistsError:
            return False
        temporary.replace(target)
    return True
