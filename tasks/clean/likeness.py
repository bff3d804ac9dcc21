"""Which of the usable pictures are the same: saved again, or edited copies of each other."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from storage.shards import NAME
from storage.workspace import Workspace
from tasks.clean import duplicate_groups
from tasks.clean.copies import finding
from tasks.clean.copies.finding import COLUMNS, OTHER
from tasks.clean.parameters import Copies, Looking
from tasks.running.engine.parameters import HERE, Engine
from tasks.running.progress import Progress, tracked

# In smaller pictures (pixels on the shorter side) there are no details to compare.
LEAST_SIDE = 48


class Likeness(NamedTuple):
    """Groups of pictures that are the same, and pairs of edited copies among them.

    `groups` has a number for each image; `pairs` is as finding.Found has it; `remark` says what
    computed the candidates where that is worth knowing. With `ignored` copies even the same bytes,
    found twice, count as two pictures.
    """

    groups: pd.Series
    pairs: pd.DataFrame
    remark: str = ""
    ignored: bool = False


NO_PAIRS = pd.DataFrame(columns=COLUMNS)


def likeness(
    workspace: Workspace,
    facts: pd.DataFrame,
    images: list[str],
    copies: Copies,
    looking: Looking,
    progress: Progress = tracked,
    engine: Engine = HERE,
) -> Likeness:
    """Of usable images, by their facts."""
    if copies == "ignore" or not images:
        apart = pd.Series(range(len(images)), images, dtype=int)
        return Likeness(apart, NO_PAIRS, ignored=copies == "ignore")
    known = resaved(facts.loc[images])
    if copies == "resaved":
        return known
    sides = facts.loc[images, ["width", "height"]].min(axis=1)
    shown = _representatives(known.groups[sides >= LEAST_SIDE], facts)
    found = finding.find(workspace, shown, looking, progress, engine)
    places = {name: place for place, name in enumerate(images)}
    pairs = np.array([found.pairs[NAME].map(places), found.pairs[OTHER].map(places)], int)
    numbers = duplicate_groups.joined(known.groups.to_numpy(), [pairs])
    return Likeness(pd.Series(numbers, images), found.pairs, found.remark)


def resaved(facts: pd.DataFrame) -> Likeness:
    """Groups of the pictures that were only saved again; `facts` has a row for each image."""
    hashes = np.stack([_numbers(facts["hash"]), _numbers(facts["bold_hash"])], axis=1)
    brightness = duplicate_groups.brightness(thumbnails(facts))
    numbers = duplicate_groups.groups(hashes, brightness)
    return Likeness(pd.Series(numbers, facts.index), NO_PAIRS)


def thumbnails(facts: pd.DataFrame) -> np.ndarray:
    """(n, pixels * 3) uint8 of these rows."""
    return np.stack([np.frombuffer(data, np.uint8) for data in facts["thumbnail"]])


def _numbers(hashes: pd.Series) -> np.ndarray:
    return np.array([int(text, 16) for text in hashes], np.uint64)


def _representatives(groups: pd.Series, facts: pd.DataFrame) -> list[str]:
    """Of pictures saved again one will do; of groups that are chains, some that are not alike."""
    several = groups.duplicated(keep=False)
    chosen = groups.index[~several].tolist()
    for images in groups[several].groupby(groups[several]).groups.values():
        ordered = sorted(images)
        brightness = duplicate_groups.brightness(thumbnails(facts.loc[ordered]))
        chosen += [ordered[place] for place in duplicate_groups.unlike(brightness)]
    return chosen
