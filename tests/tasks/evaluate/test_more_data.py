"""What more pictures would give: the learning curve, and the law that is read off it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.evaluate import more_data
from tasks.evaluate.label_errors import Pooled
from tests.project import examples

CLASSES = ["cat", "dog", "owl"]


def clouds(train=600, validation=150, test=300, noise=3.0, dimensions=40):
    """Pictures as points of three overlapping clouds, each a group of its own."""
    draw = np.random.default_rng(5)
    total = train + validation + test
    labels = np.arange(total) % len(CLASSES)
    centres = draw.normal(0, 1, (len(CLASSES), dimensions))
    values = (centres[labels] + draw.normal(0, noise, (total, dimensions))).astype(np.float32)
    split = np.repeat(["train", "validation", "test"], [train, validation, test])
    placed = pd.DataFrame(
        {
            "image": [f"{number}.jpg" for number in range(total)],
            "label": [CLASSES[label] for label in labels],
            "split": split,
            "group": [str(number) for number in range(total)],
        }
    )
    return placed, Pooled(lambda rows: values[rows], (dimensions,))


def test_the_curve_rises_and_more_is_expected_of_twice_as_many():
    found = more_data.curve(*clouds(), CLASSES)
    accuracies = [point.accuracy for point in found.points]
    assert [point.pictures for point in found.points] == pytest.approx(
        [60, 120, 240, 420, 600], abs=3
    )
    ahead = found.expected
    assert accuracies[0] < accuracies[2] < ahead.accuracy
    assert accuracies[-1] + ahead.gain == pytest.approx(ahead.accuracy)
    assert ahead.low < ahead.accuracy < ahead.high
    assert 0 <= ahead.gain_low <= ahead.gain <= ahead.gain_high
    assert all(point.low < point.accuracy < point.high for point in found.points)
    assert len(found.classes) == 3
    assert [one.with_all for one in found.classes] == sorted(one.with_all for one in found.classes)


def test_what_it_expects_of_twice_as_many_is_what_they_give():
    """Half of the training pictures promise what all of them reach, within the interval."""
    placed, features = clouds(train=1600, validation=200, test=2000)
    half = placed[(placed["split"] != "train") | (np.arange(len(placed)) % 2 == 0)]
    kept = Pooled(lambda rows: features.rows(half.index.to_numpy()[rows]), features.shape)
    promised = more_data.curve(half.reset_index(drop=True), kept, CLASSES)
    reached = more_data.curve(placed, features, CLASSES).points[-1].accuracy
    assert promised.expected.low <= reached <= promised.expected.high
    assert promised.expected.accuracy == pytest.approx(reached, abs=0.02)


def test_it_is_the_same_every_time():
    assert more_data.curve(*clouds(), CLASSES) == more_data.curve(*clouds(), CLASSES)


def test_test_pictures_choose_nothing():
    """Which head is taken for each share does not change with the test pictures' labels."""
    placed, features = clouds()
    other = placed.copy()
    tested = other["split"] == "test"
    other.loc[tested, "label"] = other.loc[tested, "label"].to_numpy()[::-1]
    first, second = (more_data.curve(one, features, CLASSES) for one in (placed, other))
    assert [one.pictures for one in first.points] == [one.pictures for one in second.points]
    assert first.points[-1].accuracy > second.points[-1].accuracy


@pytest.mark.parametrize("counts", [(40, 10, 50), (600, 10, 20), (600, 0, 0)])
def test_of_too_few_pictures_nothing_is_said(counts):
    assert more_data.curve(*clouds(*counts), CLASSES) is None


def test_without_validation_pictures_it_does_as_well_as_it_can():
    found = more_data.curve(*clouds(600, 0, 300), CLASSES)
    assert found.points[-1].accuracy > 0.5


def test_pictures_that_belong_together_come_together():
    placed, _ = clouds()
    groups = (np.arange(600) // 30).astype(str)
    ranks = more_data._ranks(np.zeros(600, int), groups, np.random.default_rng(0))
    for rank in ranks:
        of_group = pd.Series(rank).groupby(groups).agg(["min", "max"])
        assert ((of_group["max"] - of_group["min"]) < 30.5 / 600).all()
    assert len(placed)


@examples(20)
@given(st.floats(0.1, 0.9), st.integers(2, 8))
def test_the_law_of_a_known_slope_is_found(slope, scale):
    """Errors that fall as a power of the number: twice as many give what the power says."""
    numbers = [100, 200, 350, 500]
    total = 4000
    errors = [scale / 10 * 0.5 * (number / 100) ** -slope for number in numbers]
    right = [np.arange(total)[None] >= round(error * total) for error in errors]
    found = more_data.doubled(numbers, right)
    assert found.accuracy == pytest.approx(1 - errors[-1] * 2**-slope, abs=0.01)
    assert found.low <= found.accuracy <= found.high


def test_no_loss_is_promised():
    right = [np.arange(100)[None] >= wrong for wrong in (5, 6, 8)]
    found = more_data.doubled([100, 200, 400], right)
    assert (found.accuracy, found.gain) == (pytest.approx(0.92), 0)
