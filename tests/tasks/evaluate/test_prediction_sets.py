"""Sets of classes hold the true one as often as was asked for, on pictures not used to set them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.evaluate.curves import Predicted
from tasks.evaluate.prediction_sets import prediction_sets
from tasks.train.choosing.doubt import FEWEST, reached_by


def predicted(count, seed, sure):
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, 3, count)
    logits = draw.normal(0, 1, (count, 3)) + sure * np.eye(3)[labels]
    values = np.exp(logits)
    return Predicted(list("abc"), labels, values / values.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("sure", [0.0, 1.0, 6.0])
@pytest.mark.parametrize("wanted", [0.8, 0.9])
def test_as_many_sets_hold_the_true_class_as_were_asked_for(sure, wanted):
    found = prediction_sets(predicted(2000, 1, sure), predicted(4000, 2, sure), wanted)
    assert found.coverage == pytest.approx(wanted, abs=0.03)
    assert found.low < found.coverage < found.high
    assert (found.size > 2) == (sure == 0)
    assert (found.empty > 0.05) == (sure == 6.0)


def test_too_few_pictures_set_no_threshold():
    assert prediction_sets(predicted(FEWEST - 1, 1, 1), predicted(100, 2, 1)) is None


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.floats(0.5, 0.99))
def test_the_threshold_leaves_out_no_more_than_it_may(values, wanted):
    threshold = reached_by(np.array(values), wanted)
    assert np.mean(np.array(values) >= threshold) >= wanted - 1 / len(values)
