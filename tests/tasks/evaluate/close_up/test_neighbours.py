"""The training pictures most like a picture: the same as by comparing with every one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.evaluate.close_up import neighbours
from tests.project import examples


def by_hand(values, asked, among):
    """Places, by cosine from the mean of those among."""
    centred = values - values[among[:: max(1, len(among) // neighbours.MEAN_OF)]].mean(axis=0)
    length = np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
    directions = centred / length
    found = []
    for place in asked:
        others = [one for one in among if one != place]
        cosines = directions[others] @ directions[place]
        found.append(sorted(cosines, reverse=True)[: neighbours.NEAREST])
    return found


@examples(100)
@given(
    st.integers(2, 40), st.integers(1, 6), st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 4096])
)
def test_they_are_those_of_all_comparisons_whatever_the_blocks(count, width, seed, block):
    draw = np.random.default_rng(seed)
    values = draw.normal(size=(count, width)).astype(np.float32)
    among = np.sort(draw.choice(count, draw.integers(1, count + 1), replace=False))
    asked = draw.choice(count, draw.integers(1, count + 1), replace=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "AT_A_TIME", block)
        found = list(neighbours.nearest(values, asked, among))
    wanted = by_hand(values, asked, among)
    for place, (places, cosines), best in zip(asked, found, wanted, strict=True):
        assert cosines == pytest.approx(best, abs=1e-4)
        assert place not in places
        assert set(places) <= set(among.tolist())
        assert len(set(places)) == len(places)


def test_of_copies_the_copy_comes_first():
    values = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
    values[7] = values[40] + 0.01
    ((places, cosines),) = neighbours.nearest(values, np.array([40]), np.arange(30))
    assert places[0] == 7
    assert cosines[0] > 0.99
    assert len(places) == neighbours.NEAREST
