"""Which pictures a candidate is fitted on and which it is judged by; test pictures are neither."""

import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tasks.train.batches import Labelled

# Fewer validation pictures than these say little: then all take turns.
ENOUGH = 300
FOLDS = 5
SEED = 0


class Rows(NamedTuple):
    """Features of training and validation pictures as they are, in this order, then changed views.

    `arrays` are (rows, …) by pooling, `labels` and `picture` (rows,): class, and number of the
    picture that a row is of; `groups` (pictures,) says what belongs together. The first `pictures`
    rows are pictures as they are, the first `training` of them those to train on.
    """

    arrays: dict[str, np.ndarray]
    labels: np.ndarray
    picture: np.ndarray
    groups: np.ndarray
    pictures: int
    training: int

    def of(self, pictures: np.ndarray) -> np.ndarray:
        """All rows of these pictures, with their changed views."""
        return np.flatnonzero(np.isin(self.picture, pictures))


class Part(NamedTuple):
    """Numbers of pictures to fit on, and to judge by."""

    fit: np.ndarray
    judge: np.ndarray


def rows(
    train: Labelled,
    validation: Labelled,
    pooled: Callable[[Labelled], dict[str, np.ndarray]],
) -> Rows:
    """Of both, with all views of those to train on."""
    first, second = pooled(train), pooled(validation)
    count, held_out = len(train.labels), len(validation.labels)
    arrays = {
        name: np.concatenate([first[name][:count], second[name], first[name][count:]])
        for name in first
    }
    changed = np.tile(np.arange(count), train.views - 1)
    labels = np.concatenate(
        [train.labels, validation.labels, np.tile(train.labels, train.views - 1)]
    )
    picture = np.concatenate([np.arange(count + held_out), changed])
    groups = np.concatenate([train.groups, validation.groups])
    return Rows(arrays, labels.astype(int), picture.astype(int), groups, count + held_out, count)


def parts(rows: Rows) -> list[Part]:
    """Validation pictures judge where there are enough of them; else all do, in turns.

    Those that belong together are in one fold. No part where no class has pictures to spare.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    pictures = np.arange(rows.pictures)
    if rows.pictures - rows.training >= ENOUGH:
        return [Part(pictures[: rows.training], pictures[rows.training :])]
    labels, groups = rows.labels[: rows.pictures], rows.groups
    in_class = [len(np.unique(groups[labels == label])) for label in np.unique(labels)]
    folds = min(FOLDS, max(in_class, default=0))
    if folds < 2 or len(in_class) < 2:
        return []
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=SEED)
    with warnings.catch_warnings():
        # A class with fewer groups than folds is in some of them.
        warnings.simplefilter("ignore")
        return [Part(*both) for both in splitter.split(labels, labels, groups)]


def of_all(rows: Rows, *, refit: bool) -> np.ndarray:
    """Numbers of the pictures that the chosen head is fitted on in the end."""
    return np.arange(rows.pictures if refit else rows.training)
