"""Pictures made smaller: never enlarged, their aspect kept, areas averaged."""

import numpy as np
import pytest

from tasks.evaluate.shrinking import shrunk


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((40, 80, 3), (16, 32, 3)), ((80, 40), (32, 16)), ((1, 900, 3), (1, 32, 3))],
)
def test_the_longer_side_becomes_what_is_asked_for(shape, expected):
    assert shrunk(np.zeros(shape, np.uint8), 32).shape == expected


def test_what_is_small_enough_stays_as_it_is():
    picture = np.arange(32 * 20, dtype=np.float32).reshape(32, 20)
    assert shrunk(picture, 32) is picture


def test_areas_are_averaged():
    checks = np.indices((64, 64)).sum(axis=0) % 2 * 200
    assert (shrunk(checks.astype(np.uint8), 32) == 100).all()
