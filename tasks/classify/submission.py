"""Kaggle's submission of numbered pictures: `id,label`, the label being a probability.

Competitions of this kind are judged by log loss, which punishes a wrong answer given with certainty
without bound: one picture at probability 0 of the truth costs more than all others together. So
probabilities are kept between `clip` and 1 - `clip`; 0.005 costs a right answer 0.005 and limits a
wrong one to 5.3.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from storage import atomic
from storage.errors import ParameterError
from storage.names import one_line
from tasks.classify.pictures import Picture
from tasks.classify.predictions import Prediction

# Says nothing, and costs as much as a guess: log 2.
UNKNOWN = 0.5
NUMBER = re.compile(r"[0-9]{1,18}")
NAMES_SHOWN = 10


def class_of(name: str | None, classes: Sequence[str]) -> int:
    """The number of the class whose probability is asked for; by default the second one.

    Of cat and dog that is dog, as Kaggle counts: 1 is dog, 0 is cat.
    """
    if name is None:
        return 1
    if name not in classes:
        raise ParameterError(
            f"expected one of the model's classes for --of, found {name!r}: "
            f"there are {', '.join(classes)}"
        )
    return list(classes).index(name)


def count(pictures: Iterable[Picture], clip: float) -> int:
    """How many pictures a submission will hold; ParameterError if it cannot be made of them.

    Goes through all of them once without decoding any: that takes seconds, classifying minutes.
    """
    if not 0 <= clip < UNKNOWN:
        raise ParameterError(
            f"expected --clip to be at least 0 and less than 0.5, found {clip}: probabilities are "
            "kept between it and 1 minus it"
        )
    return len(numbers(one.place for one in pictures))


def numbers(places: Iterable[PurePosixPath]) -> list[int]:
    """The number that is each file's name; ParameterError for names without, and for doubles."""
    known = list(places)
    without = [str(place) for place in known if not NUMBER.fullmatch(place.stem)]
    if without:
        raise ParameterError(
            "expected pictures named by their number for a submission, as in 17.jpg, found "
            f"{_some(without)}: leave them out, or choose with --only"
        )
    found = [int(place.stem) for place in known]
    double = [str(number) for number, times in sorted(Counter(found).items()) if times > 1]
    if double:
        raise ParameterError(
            "expected each number once in a submission, found more than one picture for "
            f"{_some(double)}: leave out all but one, or choose with --only"
        )
    return found


def _some(names: list[str]) -> str:
    shown = one_line(", ".join(names[:NAMES_SHOWN]))
    return shown if len(names) <= NAMES_SHOWN else f"{shown} and {len(names) - NAMES_SHOWN} more"


def write(path: Path, predictions: Sequence[Prediction], column: int, clip: float) -> None:
    """Write the submission in the order of the numbers; 0.5 for what could not be read."""
    rows = sorted(
        zip(
            numbers(one.place for one in predictions),
            (_probability(one, column, clip) for one in predictions),
            strict=True,
        )
    )
    atomic.write_file(path, lambda temporary: _write(temporary, rows))


def _probability(prediction: Prediction, column: int, clip: float) -> float:
    if not prediction.probabilities:
        return UNKNOWN
    return min(max(prediction.probabilities[column], clip), 1 - clip)


def _write(path: Path, rows: list[tuple[int, float]]) -> None:
    with path.open("w", encoding="ascii", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["id", "label"])
        writer.writerows((number, f"{probability:.7g}") for number, probability in rows)
