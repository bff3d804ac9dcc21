"""Sets of classes hold the true one as often as was asked for, on pictures not used to set them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.evaluate.confidence import LEAST_JUDGED, prediction_sets, thresholds
from tasks.evaluate.curves import Predicted
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


def test_an_answer_above_its_threshold_is_right_as_often_as_was_asked_for():
    found = thresholds(predicted(4000, 3, 2.0), predicted(4000, 4, 2.0), 0.95)
    assert [one.name for one in found] == list("abc")
    for one in found:
        assert one.precision == pytest.approx(0.95, abs=0.03)
        assert one.low < one.precision < one.high
        assert 0.2 < one.caught < 0.95


def test_a_model_that_is_never_sure_enough_or_hardly_judged_has_no_threshold():
    assert thresholds(predicted(900, 3, 0.0), predicted(900, 4, 0.0), 0.95) == []
    assert thresholds(predicted(LEAST_JUDGED, 3, 9.0), predicted(900, 4, 9.0)) == []


def test_pictures_as_sure_as_each_other_are_on_the_same_side():
    rows = np.array([[0.9, 0.1]] * 30 + [[0.6, 0.4]] * 30)
    labels = np.array([0] * 30 + [0] * 15 + [1] * 15)
    one = Predicted(["a", "b"], labels, rows)
    (found,) = thresholds(one, one, 0.95)
    assert found.probability == 0.9
    assert (found.judged_by, found.precision, found.caught) == (30, 1.0, 30 / 45)


@given(st.integers(0, 200), st.floats(0.5, 0.99), st.sampled_from([0.5, 1.0, 3.0]))
def test_on_the_pictures_that_set_it_a_threshold_keeps_what_it_promises(seed, wanted, sure):
    one = predicted(300, seed, sure)
    for found in thresholds(one, one, wanted):
        assert found.precision >= wanted
        assert found.judged_by >= LEAST_JUDGED


def test_where_every_answer_will_do_there_is_no_bound():
    one = predicted(900, 5, 9.0)
    assert {found.probability for found in thresholds(one, one)} == {0.0}
