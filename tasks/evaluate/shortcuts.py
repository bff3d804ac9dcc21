"""Can classes be told apart by what they should not be told by: how files were made and saved?

A model that sees only the pixels of two classes, one saved at a lower quality, may learn the
quality (Geirhos et al., Shortcut Learning in Deep Neural Networks, 2020). A forest is trained on
facts about files and light alone, and judged by pictures that it has not seen: what it reaches
beyond chance, the real model may owe to a shortcut.
"""

import io
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import pandas as pd

from storage.images import ImageStore
from tasks.pictures import exif
from tasks.pictures.decoding import Problem, decode, read_header
from tasks.pictures.light import light_of

MOST_PICTURES = 1000
FOLDS, TREES, LEAST_IN_LEAF, SEED = 5, 40, 5, 0
# Of the way from chance to certainty: file facts that reach this are flagged. Light, colour and
# detail belong to many classes by right: they are told, and flagged only where they say nearly all.
FLAGGED, FLAGGED_LIGHT = 0.5, 0.9
FACTS = {
    "size": ("pixels", "aspect"),
    "saving": ("quality", "type"),
    "light and colour": ("darkest", "lightest", "contrast", "colour"),
    "detail": ("sharpness", "bytes_per_pixel"),
    "camera": ("camera",),
    "time": ("day", "hour"),
    "folder": ("folder",),
}
# Of a fact in words only the commonest values are told apart.
MOST_VALUES = 30
EXAMPLES = 12
FROM_PIXELS = ("light and colour", "detail")
# Pixels on a side that are enough to see light and sharpness by.
SIDE = 128


class Example(NamedTuple):
    """A picture whose class such facts told, and what they are."""

    image: str
    name: str
    label: str
    said: str


class Shortcut(NamedTuple):
    """Facts of one kind, and how many of `classes` evenly counted classes they tell apart.

    `balanced_accuracy` is on unseen pictures, `chance` one in as many as there are classes;
    `examples` are there where it is flagged, of all classes in turns.
    """

    kind: str
    balanced_accuracy: float
    chance: float
    pictures: int
    flagged: bool
    examples: tuple[Example, ...] = ()


def shortcuts(images: ImageStore, table: pd.DataFrame) -> list[Shortcut]:
    """One entry for each kind of facts; none where a class has too few pictures to judge.

    `table` has image, name, label, group, width and height; of many pictures some are drawn. Facts
    that are the same for all pictures, as a camera that none names, are left out; so are folders
    where each holds one class and each class lies in one: those are the classes' own.
    """
    drawn = _drawn(table)
    labels, groups = (pd.factorize(drawn[name])[0] for name in ("label", "group"))
    counts = drawn.groupby("label")["group"].nunique()
    if len(counts) < 2 or counts.min() < FOLDS:
        return []
    known = pd.DataFrame([_facts(images, row) for row in drawn.itertuples()])
    known["folder"] = _folders(drawn)
    found, chance = [], 1 / len(counts)
    for kind, names in FACTS.items():
        part = known[list(names)]
        if (part.nunique() < 2).all():
            continue
        said = _said(_numbers(part), labels, groups)
        reached = _balanced_accuracy(said, labels)
        skill = (reached - chance) / (1 - chance)
        flagged = skill >= (FLAGGED_LIGHT if kind in FROM_PIXELS else FLAGGED)
        shown = tuple(_examples(drawn[said == labels], part)) if flagged else ()
        found.append(Shortcut(kind, reached, chance, len(drawn), flagged, shown))
    return found


def _folders(drawn: pd.DataFrame) -> pd.Series:
    """Where pictures lay; '' for all where that is only how their class was told."""
    folders = drawn["name"].str.rpartition("/")[0]
    pairs = pd.DataFrame({"folder": folders, "label": drawn["label"]}).drop_duplicates()
    own = pairs["folder"].is_unique and pairs["label"].is_unique
    return pd.Series("", folders.index) if own else folders


def _numbers(part: pd.DataFrame) -> np.ndarray:
    """(n, …) float32: numbers as they are, a column for each of the commonest words."""
    words = part.select_dtypes(exclude="number")
    for name in words:
        common = words[name].value_counts().index[:MOST_VALUES]
        part = part.assign(**{str(name): words[name].where(words[name].isin(common), "other")})
    return pd.get_dummies(part).to_numpy(np.float32)


def _examples(told: pd.DataFrame, part: pd.DataFrame) -> Iterator[Example]:
    """The first of each class, then the second of each."""
    turn = told.groupby("label").cumcount()
    for place in turn.sort_values(kind="stable").index[:EXAMPLES]:
        facts = part.loc[place]
        said = ", ".join(f"{str(name).replace('_', ' ')} {_short(facts[name])}" for name in part)
        image, name, label = told.loc[place, ["image", "name", "label"]]
        yield Example(image, name, label, said)


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value) or "not told"


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
    header = read_header(data)
    about = exif.taken(b"" if isinstance(header, Problem) else header.exif)
    day, hour = _moment(about.time)
    return light_of(pixels)._asdict() | {
        "camera": about.camera,
        "day": day,
        "hour": hour,
        "pixels": float(np.log(width * height)),
        "aspect": float(np.log(width / height)),
        "bytes_per_pixel": float(np.log(len(data) / (width * height))),
        "quality": _coarseness(data),
        "type": name.rpartition(".")[2],
    }


def _moment(time: str) -> tuple[float, float]:
    """Days since 1970 and the hour; (-1, -1) of a picture that tells no time."""
    try:
        moment = datetime.fromisoformat(time).replace(tzinfo=UTC)
    except ValueError:
        return -1.0, -1.0
    return moment.timestamp() // 86400, float(moment.hour)


def _coarseness(data: bytes) -> float:
    """The mean step of a JPEG's quantisation, 0 of another format: the higher, the worse saved."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            tables = getattr(image, "quantization", None) or {}
            return float(np.mean(tables[min(tables)])) if tables else 0.0
    except (OSError, ValueError, SyntaxError):
        return 0.0


def _balanced_accuracy(said: np.ndarray, labels: np.ndarray) -> float:
    from sklearn.metrics import balanced_accuracy_score

    return float(balanced_accuracy_score(labels, said))


def _said(values: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """(n,) what a forest says of pictures that it has not seen."""
    from sklearn.ensemble import RandomForestClassifier
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
    return said
