"""Candidates for a linear head, and the one that does best on pictures it did not see."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from tasks.train.choosing import temperature
from tasks.train.choosing.forms import Form, forms
from tasks.train.choosing.judging import Part, Rows, of_all
from tasks.train.choosing.linear import (
    Discriminants,
    Learned,
    Linear,
    Scale,
    Softmaxes,
    counted,
)
from tasks.train.choosing.logits import losses, softmax

DISCRIMINANT, SOFTMAX = "discriminant analysis", "softmax"
MEAN = f"{DISCRIMINANT} and {SOFTMAX}"
METHODS: dict[str, type[Discriminants] | type[Softmaxes]] = {
    DISCRIMINANT: Discriminants,
    SOFTMAX: Softmaxes,
}
# All of the first are tried: they cost next to nothing. The second begin at the third.
DISCRIMINANTS = (10.0, 3.0, 1.0, 0.3, 0.1)
SOFTMAXES = (1.0, 0.4, 0.14, 0.04, 0.014, 0.004, 0.001)
FIRST = SOFTMAXES.index(0.14)
# What a normal distribution's 95 % lie within.
DEVIATIONS = 1.96


class Tried(NamedTuple):
    """One candidate: its log loss with a 95 % interval, and accuracy, on unseen pictures.

    The log loss is the one after its own temperature: how sure it is decides nothing.
    """

    head: str
    features: str
    strength: str
    log_loss: float
    low: float
    high: float
    accuracy: float
    seconds: float
    chosen: bool = False


class Ingredient(NamedTuple):
    """A method at a strength, with the temperature that its logits are divided by."""

    method: str
    strength: float
    temperature: float


class Candidate(NamedTuple):
    """The sum of its ingredients' logits, and what they are (n, classes) of the judged pictures."""

    form: Form
    ingredients: tuple[Ingredient, ...]
    logits: np.ndarray
    tried: Tried


class Best(NamedTuple):
    """What was best of all `tried`; `judged` are the pictures (n,) that its logits are of."""

    candidate: Candidate
    judged: np.ndarray
    tried: list[Tried]


def search(
    rows: Rows, parts: list[Part], classes: int, *, balanced: bool, advance: Callable[[int], None]
) -> Best:
    """The best by log loss; a discriminant analysis of averages where nothing can judge.

    Folds are worked on side by side, a core each: threads of threads would wait for each other.

    Discriminant analyses find the best form, softmaxes of that form their strength, and the mean of
    the best of both comes last.
    """
    every = forms(rows.arrays)
    if not parts:
        return Best(_unjudged(every[0], classes), np.empty(0, int), [])
    judged = np.concatenate([part.judge for part in parts])
    if len(parts) == 1:
        judge = _Judge(rows, parts, classes, judged, balanced=balanced, each=map)
        return _searched(judge, every, judged, advance)
    with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count()) as pool:
        judge = _Judge(rows, parts, classes, judged, balanced=balanced, each=pool.map)
        return _searched(judge, every, judged, advance)


def _searched(
    judge: "_Judge", every: list[Form], judged: np.ndarray, advance: Callable[[int], None]
) -> Best:
    tried: list[Candidate] = []
    for form in every:
        at = judge.of(form, DISCRIMINANT)
        for strength in DISCRIMINANTS:
            tried.append(at(strength))
            advance(1)
    first = min(tried, key=_loss)
    at = judge.of(first.form, SOFTMAX)
    found: dict[int, Candidate] = {}
    for number in _downhill(found):
        found[number] = at(SOFTMAXES[number])
        advance(1)
    second = min(found.values(), key=_loss)
    tried += [*found.values(), judge.mean(first, second)]
    best = min(tried, key=_loss)
    return Best(best, judged, [one.tried._replace(chosen=one is best) for one in tried])


def fitted(best: Best, rows: Rows, classes: int, *, refit: bool, balanced: bool) -> Linear:
    """The chosen head, of features as they are."""
    values = best.candidate.form.array(rows.arrays)
    scale, learned = _learned(values, rows, of_all(rows, refit=refit), classes, balanced=balanced)
    parts = [
        METHODS[one.method](learned).at(one.strength).divided(one.temperature)
        for one in best.candidate.ingredients
    ]
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.plus(part)
    return scale.folded(whole)


def _learned(
    values: np.ndarray, rows: Rows, pictures: np.ndarray, classes: int, *, balanced: bool
) -> tuple[Scale, Learned]:
    """What is learned from these pictures, of a form's `values` of all rows, and its scale."""
    here = rows.of(pictures)
    scale = Scale.of(values[here])
    return scale, Learned.of(
        scale.applied(values[here]), rows.labels[here], classes, balanced=balanced
    )


class _Judge:
    """Makes candidates and judges them by pictures that they have not seen."""

    def __init__(
        self,
        rows: Rows,
        parts: list[Part],
        classes: int,
        judged: np.ndarray,
        *,
        balanced: bool,
        each: Callable[..., Iterable[Any]],
    ) -> None:
        self._each = each
        self._rows, self._parts, self._classes, self._balanced = rows, parts, classes, balanced
        self._labels = rows.labels[judged]
        self._weights = counted(self._labels, balanced=balanced)

    def of(self, form: Form, method: str) -> Callable[[float], Candidate]:
        """A function from a strength to a candidate."""
        values = form.array(self._rows.arrays)

        def prepared(part: Part) -> tuple[Discriminants | Softmaxes, np.ndarray]:
            scale, learned = _learned(
                values, self._rows, part.fit, self._classes, balanced=self._balanced
            )
            return METHODS[method](learned), scale.applied(values[part.judge])

        return partial(self._at, form, method, list(self._each(prepared, self._parts)))

    def _at(
        self,
        form: Form,
        method: str,
        ready: list[tuple[Discriminants | Softmaxes, np.ndarray]],
        strength: float,
    ) -> Candidate:
        begun = time.perf_counter()
        found = self._each(lambda both: both[0].at(strength).logits(both[1]), ready)
        logits = np.concatenate(list(found))
        heat = temperature.fitted(logits, self._labels)
        made = Ingredient(method, strength, heat)
        return self._candidate(form, (made,), logits / heat, f"{strength:g}", begun)

    def mean(self, first: Candidate, second: Candidate) -> Candidate:
        """Of the logits of two of one form."""
        begun = time.perf_counter()
        logits = first.logits + second.logits
        heat = temperature.fitted(logits, self._labels)
        ingredients = tuple(
            one._replace(temperature=one.temperature * heat)
            for one in (*first.ingredients, *second.ingredients)
        )
        strengths = f"{first.tried.strength}, {second.tried.strength}"
        return self._candidate(first.form, ingredients, logits / heat, strengths, begun)

    def _candidate(
        self,
        form: Form,
        ingredients: tuple[Ingredient, ...],
        logits: np.ndarray,
        strength: str,
        begun: float,
    ) -> Candidate:
        probabilities, labels = softmax(logits), self._labels
        each = losses(probabilities, labels)
        mean = float(each @ self._weights)
        half = DEVIATIONS * float(np.sqrt(((each - mean) ** 2) @ self._weights**2))
        right = float((probabilities.argmax(axis=1) == labels).mean())
        name = MEAN if len(ingredients) > 1 else ingredients[0].method
        seconds = round(time.perf_counter() - begun, 2)
        tried = Tried(name, form.name, strength, mean, mean - half, mean + half, right, seconds)
        return Candidate(form, ingredients, logits, tried)


def _unjudged(form: Form, classes: int) -> Candidate:
    """Middle values, and no word on how good they are."""
    strength = DISCRIMINANTS[len(DISCRIMINANTS) // 2]
    made = (Ingredient(DISCRIMINANT, strength, 1.0),)
    nothing = Tried(DISCRIMINANT, form.name, f"{strength:g}", 0, 0, 0, 0, 0)
    return Candidate(form, made, np.empty((0, classes)), nothing)


def _loss(candidate: Candidate) -> float:
    return candidate.tried.log_loss


def _downhill(found: dict[int, Candidate]) -> Iterator[int]:
    """Places to try next; `found` is filled in between: on in each direction while it helps."""
    yield FIRST
    for step in (1, -1):
        place = FIRST + step
        while 0 <= place < len(SOFTMAXES):
            yield place
            if _loss(found[place]) >= _loss(found[place - step]):
                break
            place += step
        if len(found) > 2:  # less regularisation was better: more is not
            break
