"""The confusion matrix, and for the page's script which pictures are in each of its cells."""

import json
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tasks.evaluate.metrics import MANY_CLASSES
from tasks.publish.galleries import by_cell

MOST_PAIRS, MOST_TAKEN_FOR = 20, 3
ROWS_BYTES = 1_600_000


class Cell(NamedTuple):
    """How many pictures of class `truth` were taken for `predicted` (class numbers)."""

    truth: int
    predicted: int
    pictures: int
    share: float


class Listed(NamedTuple):
    """Rows for the script: name, true and predicted class, probability, picture number.

    `left_out` is how many pictures the page has no room to name.
    """

    rows: list[tuple[str, int, int, float, int]]
    left_out: int


def matrix(confusion: list[list[int]]) -> list[list[Cell]]:
    """The whole matrix; of many classes a map takes its place, and this is empty."""
    numbers = range(len(confusion))
    if len(numbers) > MANY_CLASSES:
        return []
    return [[_cell(confusion, truth, predicted) for predicted in numbers] for truth in numbers]


def cells(confusion: list[list[int]]) -> list[tuple[int, int, int]]:
    """(true class, predicted class, pictures) of every cell that has any."""
    return [
        (truth, predicted, count)
        for truth, row in enumerate(confusion)
        for predicted, count in enumerate(row)
        if count
    ]


def taken_for(confusion: list[list[int]]) -> list[list[Cell]]:
    """For each class the MOST_TAKEN_FOR others that it is taken for, most frequent first."""
    found: list[list[Cell]] = [[] for _ in confusion]
    for truth, predicted, _ in cells(confusion):
        if truth != predicted:
            found[truth].append(_cell(confusion, truth, predicted))
    return [sorted(some, key=lambda cell: -cell.pictures)[:MOST_TAKEN_FOR] for some in found]


def pairs(confusion: list[list[int]]) -> list[Cell]:
    """The most frequent confusions of one class with another, most frequent first."""
    found = [
        _cell(confusion, truth, predicted)
        for truth, predicted, _ in cells(confusion)
        if truth != predicted
    ]
    return sorted(found, key=lambda cell: (-cell.pictures, cell.truth, cell.predicted))[:MOST_PAIRS]


def _cell(confusion: list[list[int]], truth: int, predicted: int) -> Cell:
    count = confusion[truth][predicted]
    return Cell(truth, predicted, count, count / max(1, sum(confusion[truth])))


def listed(table: pd.DataFrame, classes: list[str], numbers: dict[str, int]) -> Listed:
    """Every picture of the table for the script, errors first, up to ROWS_BYTES."""
    place = {name: number for number, name in enumerate(classes)}
    columns = ["name", "label", "predicted", "probability", "image"]
    rows, room = [], ROWS_BYTES
    for name, label, predicted, probability, image in _in_turn(table[columns], by_cell(table)):
        row = (name, place[label], place[predicted], round(float(probability), 4), numbers[image])
        room -= len(json.dumps(row)) + 1
        if room < 0:
            break
        rows.append(row)
    return Listed(rows, len(table) - len(rows))


def _in_turn(table: pd.DataFrame, order: np.ndarray) -> Any:
    return table.iloc[order].itertuples(index=False, name=None)
