"""Can classes be told apart by what they should not be told by: how files were made and saved?

A model that sees only the pixels of two classes, one saved at a lower quality, may learn the
quality (Geirhos et al., Shortcut Learning in Deep Neural Networks, 2020). A forest is trained on
facts about files and light alone, and judged by pictures that it has not seen: what it reaches
beyond chance, the real model may owe to a shortcut.
"""

import io
import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd

from storage.images import ImageStore
from tasks.pictures.decoding import Problem, decode
from tasks.pictures.opencv import cv2

MOST_PICTURES = 1000
FOLDS, TREES, LEAST_IN_LEAF, SEED = 5, 40, 5, 0
# Of the way from chance to certainty: file facts that reach this are flagged. Light, colour and
# detail belong to many classes by right: they are told, and flagged only where they say nearly all.
FLAGGED, FLAGGED_LIGHT = 0.5, 0.9
FACTS = {
    "size": ("pixels", "aspect"),
    "saving": ("quality", "type"),
    "light and colour": ("brightness", "contrast", "colour"),
    "detail": ("sharpness", "bytes_per_pixel"),
}
FROM_PIXELS = ("light and colour", "detail")
# Pixels on a side that are enough to see light and sharpness by.
SIDE = 128


class Shortcut(NamedTuple):
    """Facts of one kind, and how many of `classes` evenly counted classes they tell apart.

    `balanced_accuracy` is on unseen pictures, `chance` one in as many as there are classes.
    """

    kind: str
    balanced_accuracy: float
    chance: float
    pictures: int
    flagged: bool


def shortcuts(images: ImageStore, table: pd.DataFrame) -> list[Shortcut]:
    """One entry for each kind of facts; none where a class has too few pictures to judge.

    `table` has image, label, group, width and height; of many pictures some are drawn.
    """
    drawn = _drawn(table)
    labels, groups = (pd.factorize(drawn[name])[0] for name in ("label", "group"))
    counts = drawn.groupby("label")["group"].nunique()
    if len(counts) < 2 or counts.min() < FOLDS:
        return []
    known = pd.DataFrame([_facts(images, row) for row in drawn.itertuples()])
    found, chance = [], 1 / len(counts)
    for kind, names in FACTS.items():
        values = pd.get_dummies(known[list(names)]).to_numpy(np.float32)
        reached = _judged(values, labels, groups)
        skill = (reached - chance) / (1 - chance)
        bound = FLAGGED_LIGHT if kind in FROM_PIXELS else FLAGGED
        found.append(Shortcut(kind, reached, chance, len(drawn), skill >= bound))
    return found


def _drawn(table: pd.DataFrame) -> pd.DataFrame:
    """At most MOST_PICTURES, as many of each class as there are."""
    most = max(FOLDS, MOST_PICTURES // max(1, table["label"].nunique()))
    shuffled = table.sample(frac=1, random_state=SEED)
    return shuffled.groupby("label", sort=True).head(most).reset_index(drop=True)


def _facts(images: ImageStore, row: object) -> dict[str, float | str]:
    """Of one picture; a picture that cannot be opened any more has those of an empty one."""
    name, width, height = (getattr(row, one) for one in ("image", "width", "height"))
    data = images.read(name)
    pixels = decode(data, enough=SIDE)
    if isinstance(pixels, Problem):
        pixels = np.zeros((2, 2, 3), np.uint8)
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    red, green, blue = cv2.split(pixels)
    spread = cv2.max(cv2.max(red, green), blue) - cv2.min(cv2.min(red, green), blue)
    return {
        "pixels": float(np.log(width * height)),
        "aspect": float(np.log(width / height)),
        "bytes_per_pixel": float(np.log(len(data) / (width * height))),
        "quality": _coarseness(data),
        "type": name.rpartition(".")[2],
        "brightness": float(grey.mean()),
        "contrast": float(grey.std()),
        "colour": float(spread.mean()),
        "sharpness": float(np.log(1 + cv2.Laplacian(grey, cv2.CV_32F).var())),
    }


def _coarseness(data: bytes) -> float:
    """The mean step of a JPEG's quantisation, 0 of another format: the higher, the worse saved."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            tables = getattr(image, "quantization", None) or {}
            return float(np.mean(tables[min(tables)])) if tables else 0.0
    except (OSError, ValueError, SyntaxError):
        return 0.0


def _judged(values: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> float:
    """Balanced accuracy of a forest on pictures that it has not seen."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import StratifiedGroupKFold

    said = np.empty(len(labels), int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=SEED)
        for fit, judge in folds.split(values, labels, groups):
            forest = RandomForestClassifier(
                TREES, min_samples_leaf=LEAST_IN_LEAF, class_weight="balanced",
                random_state=SEED,
            )  # fmt: skip
            said[judge] = forest.fit(values[fit], labels[fit]).predict(values[judge])
    return float(balanced_accuracy_score(labels, said))
