"""What is said of an answer beside it: bounds from pictures that the model had not learned from."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.train.choosing.doubt import FEWEST, bounds, familiarity, reached_by
from tasks.train.choosing.logits import softmax

FINITE = st.floats(-50, 50)


def test_evidence_is_the_logarithm_of_the_sum_of_exponentials():
    logits = np.array([[2.0, 0.0, -2.0]])
    assert familiarity(logits)[0] == pytest.approx(
        math.log(math.exp(2) + math.exp(0) + math.exp(-2))
    )


@given(st.lists(st.lists(FINITE, min_size=3, max_size=3), min_size=1, max_size=5), FINITE)
def test_what_all_classes_have_in_common_says_nothing(rows, more):
    logits = np.array(rows)
    np.testing.assert_allclose(familiarity(logits + more), familiarity(logits), atol=1e-9)


def test_of_two_classes_it_grows_with_how_far_they_are_apart():
    apart = np.array([0.0, 0.5, 2.0, 8.0])
    found = familiarity(np.stack([apart, np.zeros(4)], axis=1))
    assert np.all(np.diff(found) > 0)
    np.testing.assert_allclose(found, familiarity(np.stack([np.zeros(4), apart], axis=1)))


def test_nothing_overflows():
    assert familiarity(np.array([[1e4, -1e4]], np.float32))[0] == pytest.approx(1e4)


def test_bounds_are_reached_as_often_as_they_say():
    draw = np.random.default_rng(3)
    logits, labels = draw.normal(0, 2, (400, 4)), draw.integers(0, 4, 400)
    found = bounds(logits, labels)
    of_truth = softmax(logits)[np.arange(400), labels]
    assert 0.9 <= np.mean(of_truth >= found["probability"]) <= 0.91
    assert 0.95 <= np.mean(familiarity(logits) >= found["evidence"]) <= 0.96


def test_of_too_few_pictures_there_are_none():
    logits = np.zeros((FEWEST - 1, 2))
    assert bounds(logits, np.zeros(FEWEST - 1, int)) is None


def test_one_more_like_them_reaches_a_bound_as_often():
    draw = np.random.default_rng(4)
    reached = [
        (values := draw.normal(size=60))[-1] >= reached_by(values[:-1], 0.9) for _ in range(4000)
    ]
    assert np.mean(reached) == pytest.approx(0.9, abs=0.02)
