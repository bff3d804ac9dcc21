"""Thumbnails as data URIs, as many as there is room for."""

import base64
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from storage.images import ImageStore
from tasks.evaluate.shrinking import shrunk
from tasks.pictures.decoding import Problem, decode, opencv

if TYPE_CHECKING:
    import numpy as np

SIDE = 144
QUALITY = 70
TINY = 48
AT_A_TIME = 64
# A picture's number, quotes and the like around its bytes.
OVERHEAD = 20


def thumbnail(data: bytes, side: int = SIDE) -> str | None:
    """A picture no longer than `side` as a data URI: WebP, or PNG for tiny ones; None if broken."""
    pixels = decode(data)
    if isinstance(pixels, Problem):
        return None
    longest = max(pixels.shape[:2])
    cv2 = opencv()
    small = cv2.cvtColor(shrunk(pixels, side), cv2.COLOR_RGB2BGR)
    if longest <= TINY:
        return _as_uri("png", cv2.imencode(".png", small)[1])
    return _as_uri("webp", cv2.imencode(".webp", small, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])[1])


def _as_uri(kind: str, encoded: "np.ndarray") -> str:
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
