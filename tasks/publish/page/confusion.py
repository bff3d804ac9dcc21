"""The confusion matrix, and for the page's script which pictures are in each of its cells."""

import json
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tasks.publish.galleries import by_cell

MOST_CLASSES = 40
MOST_PAIRS = 20
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
    """The whole matrix, or that of the MOST_CLASSES classes with the most errors."""
    chosen = chosen_classes(confusion)
    return [[_cell(confusion, truth, predicted) for predicted in chosen] for truth in chosen]


def chosen_classes(confusion: list[list[int]]) -> list[int]:
    """The numbers of the classes in the matrix, ascending."""
    numbers = range(len(confusion))
    wrong = {
        number: sum(confusion[number])
        + sum(row[number] for row in confusion)
        - 2 * confusion[number][number]
        for number in numbers
    }
    return sorted(sorted(numbers, key=lambda number: -wrong[number])[:MOST_CLASSES])


def pairs(confusion: list[list[int]]) -> list[Cell]:
    """The most frequent confusions of one class with another, most frequent first."""
    found = [
        _cell(confusion, truth, predicted)
        for truth, row in enumerate(confusion)
        for predicted, count in enumerate(row)
        if count and truth != predicted
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
