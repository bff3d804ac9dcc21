"""Copies as the page shows them: how many were edited how, and some beside their originals."""

from collections import Counter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from storage.images import ImageStore
from storage.statuses import Status
from tasks.clean.copies.describing import RESAVED, SCENE
from tasks.pictures.opencv import cv2
from tasks.publish.figures.to_look_at import Plate
from tasks.publish.thumbnails import SIDE, as_webp, pixels_of

SHOWN = 24
GAP = 4
GROUND = 128


class Copies(NamedTuple):
    """Edits and how many pictures have them, commonest first; and pairs to look at."""

    edits: list[tuple[str, int]]
    plates: list[Plate]
    pairs: int


def copies(rows: pd.DataFrame, split: pd.DataFrame, images: ImageStore) -> Copies:
    """Of the manifests of `clean` and `split`."""
    kept = rows[rows["status"] == Status.KEPT]
    if "copy_of" not in kept:
        return Copies([], [], 0)
    others = kept[(kept["copies"] != kept["image"]) & (kept["copy_of"] == "")]
    found = kept[kept["copy_of"] != ""]
    said = Counter(word for edit in found["edit"] for word in _words(edit))
    said[RESAVED] += len(others)
    places = split.drop_duplicates("image").set_index("image")["split"]
    names = dict(zip(kept["image"], kept["name"], strict=True))
    plates = [
        plate
        for row in _chosen(found).itertuples(index=False)
        if (plate := _plate(row, names[row.copy_of], places, images)) is not None
    ]
    return Copies(
        [(word, count) for word, count in said.most_common() if count], plates, len(found)
    )


def _words(edit: str) -> list[str]:
    """`12 % cropped, turned by 4°` as `cropped` and `turned`."""
    words = [part.split(" % ")[-1].split(" by ")[0] for part in edit.split(", ")]
    return list(dict.fromkeys(words))


def _chosen(found: pd.DataFrame) -> pd.DataFrame:
    """As many kinds of edits as there are, in turns; scenes after them."""
    kinds = found["edit"].map(lambda edit: " ".join(_words(edit)))
    turn = found.groupby(kinds).cumcount() + 1000 * (found["edit"] == SCENE)
    return found.assign(turn=turn).sort_values("turn", kind="stable").head(SHOWN)


def _plate(row: Any, original: str, places: pd.Series, images: ImageStore) -> Plate | None:
    """The original, and the copy laid where it shows the same; None if one cannot be read."""
    first, copy = pixels_of(images, row.copy_of, SIDE), pixels_of(images, row.image, 2 * SIDE)
    if first is None or copy is None:
        return None
    laid = _laid(copy, first.shape[:2], np.array(row.aligned.split(), float).reshape(3, 3))
    gap = np.full((len(first), GAP, 3), GROUND, np.uint8)
    uri = as_webp(np.hstack([first, gap, laid]))
    where = [places.get(name, "") or "left out" for name in (row.copy_of, row.image)]
    text = f"{row.edit}\n{original}, {where[0]}\n{row.name}, {where[1]}"
    return Plate(uri, f"{original} and {row.name}, lined up: {row.edit}", text)


def _laid(pixels: np.ndarray, size: tuple[int, int], matrix: np.ndarray) -> np.ndarray:
    """(*size, 3) uint8: the copy where the map from the original's unit square puts it."""
    here, there = np.diag([size[1], size[0], 1.0]), np.diag([*pixels.shape[1::-1], 1.0])
    place = there @ matrix @ np.linalg.inv(here)
    laid: np.ndarray = cv2.warpPerspective(
        pixels, place, size[::-1], flags=cv2.INTER_AREA | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT, borderValue=(GROUND,) * 3,
    )  # fmt: skip
    return laid
