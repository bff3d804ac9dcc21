"""Vectors that a head can take a feature map as: pooled in several ways.

Every form is made twice: in NumPy for choosing, and as Keras layers for the head that is kept.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tasks.running.tensorflow import load_keras
from tasks.train import batches, head
from tasks.train.batches import Labelled
from tasks.train.pooling import pooled_rows

# A flattened map with more numbers than this is many more than there are pictures to learn from.
MOST_FLAT = 3000
FLOAT32_BYTES = 4
# Under a root: without it its slope at 0, which Grad-CAM asks for, would be infinite.
OFFSET = 1e-3


class Form(NamedTuple):
    """A way to make a vector of a map: of arrays (n, …) by pooling, and as layers."""

    name: str
    array: Callable[[dict[str, np.ndarray]], np.ndarray]
    layers: Callable[[Any], Any]


def _average(x: Any) -> Any:
    return head.pooled(x, "average", name="average")


def _both(x: Any) -> Any:
    together = load_keras().layers.Concatenate(name="average_and_maximum", dtype="float32")
    return together([_average(x), head.pooled(x, "max", name="maximum")])


def _root(x: Any) -> Any:
    ops = load_keras().ops
    return ops.sqrt(ops.cast(_average(x), "float32") + OFFSET)


def _flat(x: Any) -> Any:
    return head.pooled(x, "flatten", name="flattened")


def _root_of_average(pooled: dict[str, np.ndarray]) -> np.ndarray:
    return np.sqrt(pooled["average"] + np.float32(OFFSET))


AVERAGE = Form("averages", lambda pooled: pooled["average"], _average)
BOTH = Form(
    "averages and maxima",
    lambda pooled: np.concatenate([pooled["average"], pooled["max"]], axis=1),
    _both,
)
ROOT = Form("roots of averages", _root_of_average, _root)
FLAT = Form("all places", lambda pooled: pooled["flatten"], _flat)


def pooled(data: Labelled, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """(rows, …) float32 of every picture and view, by pooling."""
    rows = np.arange(len(data.labels) * data.views)
    if len(shape) == 1:
        return {"average": data.rows(rows).astype(np.float32)}
    found = {name: pooled_rows(data, shape, name).rows(rows) for name in ("average", "max")}
    if found["average"].shape[1] < np.prod(shape) <= MOST_FLAT:
        found["flatten"] = data.rows(rows).astype(np.float32)
    return found


def forms(arrays: dict[str, np.ndarray]) -> list[Form]:
    """Those that can be made of these; roots only where nothing is negative."""
    positive = arrays["average"].min(initial=0) >= 0
    if "max" not in arrays:
        return [AVERAGE, ROOT] if positive else [AVERAGE]
    found = [AVERAGE, BOTH, *([ROOT] if positive else []), *([FLAT] if "flatten" in arrays else [])]
    one_place = np.array_equal(arrays["average"], arrays["max"])
    return [form for form in found if not (one_place and form is BOTH)]


def fit_in_memory(shape: tuple[int, ...], *parts: Labelled) -> bool:
    """Whether all forms of so many pictures do, with the copies that fitting takes."""
    rows = sum(len(one.labels) * one.views for one in parts)
    places = 1 if len(shape) == 1 else 2
    return batches.fits(6 * rows * places * shape[-1] * FLOAT32_BYTES)
