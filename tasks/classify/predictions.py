"""Pictures to predictions: read and decoded ahead by threads, classified in batches.

Memory holds one batch, AHEAD pictures that wait for it at the size that the network takes, and what
each thread is decoding, however many pictures there are; of each a row remains.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from storage.names import one_line
from tasks.classify.classifier import PICTURES_AT_A_TIME, Classifier
from tasks.classify.drawing import WIDTH, Drawings, for_the_screen
from tasks.classify.name_labels import claimed
from tasks.classify.parameters import Known
from tasks.classify.pictures import Picture
from tasks.pictures.decoding import Problem, decode
from tasks.pictures.parameters import Square
from tasks.pictures.resizing import shown
from tasks.running.progress import Advance, silent

MOST_THREADS = 4
AHEAD = 2 * PICTURES_AT_A_TIME
# Of pictures in archives, which are read before a thread takes them.
BYTES_AHEAD = 128 * 2**20

Knows = Callable[[bytes, np.ndarray, Square], Known]


@dataclass(frozen=True)
class Prediction:
    """What a model says of one picture, or the reason why it says nothing.

    `claimed` is the class that the picture's name claims, '' if none; `drawn` where it was drawn;
    `trained_on` how the picture is among those that the model was trained on. Where answers are
    doubted, `held` are the classes of its set, `familiarity` is how much it is like the pictures
    that the model knows, `unknown` whether it is like none.
    """

    name: str
    place: PurePosixPath
    reason: str = ""
    label: str = ""
    probability: float | None = None
    probabilities: tuple[float, ...] = ()
    claimed: str = ""
    drawn: Path | None = None
    trained_on: Known = ""
    held: tuple[str, ...] | None = None
    familiarity: float | None = None
    unknown: bool = False

    @property
    def correct(self) -> bool | None:
        """Whether the label is the one that the name claims; None where nothing can be said."""
        return self.label == self.claimed if self.label and self.claimed else None

    @property
    def text(self) -> str:
        """`pikachu: 97.3% (correct)`, or the reason."""
        if self.probability is None:
            return self.reason
        verdict = {True: " (correct)", False: " (incorrect)", None: ""}[self.correct]
        text = f"{self.label}: {self.probability:.1%}{verdict}"
        if self.held is None:
            return text
        if self.unknown:
            return f"unknown, most like {text}"
        return f"{text}, of {{{', '.join(self.held)}}}" if self.held else f"{text}, not sure"

    @property
    def line(self) -> str:
        """Name and text, fit for a terminal."""
        return one_line(f"{self.name}  {self.text}")

    def row(self) -> dict[str, Any]:
        """As JSON has it."""
        return (
            {
                "image": self.name,
                "label": self.label,
                "probability": self.probability,
                "reason": self.reason,
                "correct": self.correct,
                "trained_on": self.trained_on,
            }
            | self.doubts
            | ({"drawn": str(self.drawn)} if self.drawn else {})
        )

    @property
    def doubts(self) -> dict[str, Any]:
        """What is said where answers are doubted; nothing where they are not."""
        if self.held is None:
            return {}
        said = {"unknown": self.unknown, "familiarity": self.familiarity}
        return said | {"held": list(self.held)}


def predicted(
    classifier: Classifier,
    pictures: Iterable[Picture],
    *,
    drawings: Drawings | None = None,
    knows: Knows | None = None,
    advance: Advance = silent,
) -> list[Prediction]:
    """One prediction per picture, in order; each is drawn as well where `drawings` are wanted.

    `knows` says how the model was trained on a picture, by its bytes and its pixels in a square.
    """

    def prepare(picture: Picture) -> _Prepared:
        return _prepared(picture, classifier.square, knows, draw=drawings is not None)

    ready = _ahead(pictures, prepare)
    found: list[Prediction] = []
    for batch in _batches(ready):
        found += _classified(classifier, batch, drawings)
        advance(len(batch))
    return found


@dataclass(frozen=True)
class _Prepared:
    """A picture at the sizes that the network and the screen take, or the reason why not."""

    name: str
    place: PurePosixPath
    folder: str
    reason: str = ""
    pixels: np.ndarray | None = None
    screen: np.ndarray | None = None
    trained_on: Known = ""


def _prepared(picture: Picture, square: Square, knows: Knows | None, *, draw: bool) -> _Prepared:
    named = (picture.name, picture.place, picture.folder)
    data = picture.read()
    if isinstance(data, str):
        return _Prepared(*named, reason=data)
    pixels = shown(data, square)
    if isinstance(pixels, Problem):
        return _Prepared(*named, reason=f"{pixels.status}: {pixels.reason}")
    return _Prepared(
        *named,
        pixels=pixels,
        screen=_screen(data) if draw else None,
        trained_on="" if knows is None else knows(data, pixels, square),
    )


def _screen(data: bytes) -> np.ndarray | None:
    """Decoded again: what is drawn does not change what the network sees."""
    rgb = decode(data, enough=WIDTH)
    return None if isinstance(rgb, Problem) else for_the_screen(rgb)


def _ahead(
    pictures: Iterable[Picture], prepare: Callable[[Picture], _Prepared]
) -> Iterator[_Prepared]:
    """The pictures in order; threads prepare those that come next."""
    threads = min(MOST_THREADS, os.cpu_count() or 1)
    with ThreadPoolExecutor(max_workers=threads) as pool:
        waiting: deque[tuple[int, Future[_Prepared]]] = deque()
        try:
            for picture in pictures:
                waiting.append((len(picture.data or b""), pool.submit(prepare, picture)))
                while len(waiting) > AHEAD or _unread_bytes(waiting) > BYTES_AHEAD:
                    yield waiting.popleft()[1].result()
            while waiting:
                yield waiting.popleft()[1].result()
        finally:
            pool.shutdown(cancel_futures=True)


def _unread_bytes(waiting: "deque[tuple[int, Future[_Prepared]]]") -> int:
    return sum(size for size, future in waiting if not future.done())


def _batches(ready: Iterable[_Prepared]) -> Iterator[list[_Prepared]]:
    batch: list[_Prepared] = []
    for one in ready:
        batch.append(one)
        if len(batch) == PICTURES_AT_A_TIME:
            yield batch
            batch = []
    if batch:
        yield batch


def _classified(
    classifier: Classifier, batch: list[_Prepared], drawings: Drawings | None
) -> Iterator[Prediction]:
    found, familiar = classifier.judged([one.pixels for one in batch if one.pixels is not None])
    rows = iter(zip(found.tolist(), familiar, strict=True))
    for one in batch:
        if one.pixels is None:
            yield Prediction(one.name, one.place, one.reason)
            continue
        row, how_familiar = next(rows)
        said = _prediction(one, tuple(row), classifier.classes)
        doubt = classifier.doubt(row, how_familiar)
        if doubt is not None:
            said = replace(said, **doubt._asdict())
        yield _drawn(said, one, drawings)


def _prediction(
    one: _Prepared, probabilities: tuple[float, ...], classes: tuple[str, ...]
) -> Prediction:
    highest = max(probabilities)
    return Prediction(
        name=one.name,
        place=one.place,
        label=classes[probabilities.index(highest)],
        probability=highest,
        probabilities=probabilities,
        claimed=claimed(one.place.name, one.folder, classes),
        trained_on=one.trained_on,
    )


def _drawn(said: Prediction, one: _Prepared, drawings: Drawings | None) -> Prediction:
    if drawings is None or one.screen is None:
        return said
    drawn = drawings.add(one.screen, one.place, one_line(said.text), correct=said.correct)
    return replace(said, drawn=drawn)
