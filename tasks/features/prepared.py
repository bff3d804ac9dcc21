"""What computes features, ready for pictures."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from storage.features import FeatureSpace

Compute = Callable[[np.ndarray], np.ndarray]


def as_it_is(given: Any) -> Any:
    """The same."""
    return given


class Prepared(NamedTuple):
    """What computes features, and the space that they are in.

    `each` takes one picture's pixels, (side, side, 3) float32 RGB in [0, 255], in the thread that
    decoded it; `batch` takes many of what `each` gave, and gives their features. `remark` is what
    the user should know of it.
    """

    space: FeatureSpace
    each: Compute = as_it_is
    batch: Compute = as_it_is
    remark: str = ""
