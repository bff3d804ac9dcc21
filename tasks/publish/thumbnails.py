"""Stored pictures made small: pixels for a figure, data URIs for a page, each once in an album."""

import base64
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from storage.images import ImageStore
from tasks.evaluate.shrinking import shrunk
from tasks.pictures.decoding import Problem, decode
from tasks.pictures.opencv import cv2

SIDE = 144
FIGURE_SIDE = 480
QUALITY = 70
TINY = 48
AT_A_TIME = 64
# A picture's number, quotes and the like around its bytes.
OVERHEAD = 20


def thumbnail(data: bytes, side: int = SIDE) -> str | None:
    """A picture no longer than `side` as a data URI: WebP, or PNG for tiny ones; None if broken."""
    pixels = decode(data, enough=2 * side)
    if isinstance(pixels, Problem):
        return None
    longest = max(pixels.shape[:2])
    small = shrunk(pixels, side)
    if longest <= TINY:
        bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
        return _as_uri("png", cv2.imencode(".png", bgr)[1])
    return as_webp(small)


def as_webp(rgb: np.ndarray) -> str:
    """Pixels, (height, width, 3) uint8, as a data URI."""
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    return _as_uri("webp", cv2.imencode(".webp", bgr, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])[1])


def _as_uri(kind: str, encoded: np.ndarray) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(encoded.tobytes()).decode()}"


def thumbnails(store: ImageStore, names: Sequence[str], room: int) -> dict[str, str]:
    """Data URIs by stored name, the first of `names` that fit in `room` bytes together.

    Pictures that are not there or cannot be decoded are passed over.
    """
    found: dict[str, str] = {}
    for name, uri in _made(store, names):
        room -= len(uri) + OVERHEAD
        if room < 0:
            break
        found[name] = uri
    return found


def _made(store: ImageStore, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    def make(name: str) -> str | None:
        try:
            return thumbnail(store.read(name))
        except OSError:
            return None

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for start in range(0, len(names), AT_A_TIME):
            batch = names[start : start + AT_A_TIME]
            for name, uri in zip(batch, pool.map(make, batch), strict=True):
                if uri is not None:
                    yield name, uri


def pixels_of(store: ImageStore, name: str, side: int = FIGURE_SIDE) -> np.ndarray | None:
    """(height, width, 3) uint8 RGB, no longer than `side`; None if it is gone or damaged."""
    try:
        pixels = decode(store.read(name), enough=2 * side)
    except OSError:
        return None
    if isinstance(pixels, Problem):
        return None
    return shrunk(pixels, side)


class Album:
    """Thumbnails by stored image name, handed out while a page is rendered from top to bottom.

    The first place that shows a picture carries its bytes; the page's script copies them to the
    others. `wanted` is the order in which pictures were asked for, their number is their position.
    """

    def __init__(self, wanted: Sequence[str], thumbnails: Mapping[str, str]) -> None:
        self.numbers = {name: number for number, name in enumerate(dict.fromkeys(wanted))}
        self._thumbnails = thumbnails
        self._placed: set[str] = set()

    def has(self, name: str) -> bool:
        """Whether there was room for this picture."""
        return name in self._thumbnails

    def number(self, name: str) -> int:
        """By which number the script knows the picture."""
        return self.numbers[name]

    def first(self, name: str) -> str:
        """The picture's bytes as a data URI the first time, '' ever after."""
        if name in self._placed:
            return ""
        self._placed.add(name)
        return self._thumbnails[name]

    def rest(self) -> dict[int, str]:
        """By number, the pictures that no place has carried yet; to be asked for last."""
        return {
            self.numbers[name]: uri
            for name, uri in self._thumbnails.items()
            if name not in self._placed
        }

    @property
    def left_out(self) -> int:
        """How many pictures there was no room for, or nothing to show of."""
        return len(self.numbers) - len(self._thumbnails)
