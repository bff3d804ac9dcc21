import pandas as pd
import pytest
from pydantic import ValidationError

from storage.errors import DarkroomError
from tasks.publish.parameters import Gate
from tasks.publish.release.gate import GateClosed, judge, require, require_floor


def table(right, total=100, split="test", prefix=""):
    return pd.DataFrame(
        {
            "image": [f"{prefix}{number}" for number in range(total)],
            "split": split,
            "correct": [number < right for number in range(total)],
        }
    )


def test_the_first_model_needs_only_the_floor():
    found = judge(Gate(floor=0.9), table(90))
    assert found.holds
    assert "Nothing was published before" in found.text
    found = judge(Gate(floor=0.91), table(90))
    assert not found.holds
    assert "90.0% is below the floor of 91.0%" in found.text


def test_significantly_worse_is_not_published():
    found = judge(Gate(), table(80), table(90))
    assert not found.holds
    assert "Significantly worse" in found.text
    assert found.pair is not None
    assert (found.pair.only_first, found.pair.only_second) == (0, 10)


def test_a_little_worse_is_no_reason():
    # 0 against 5: exact p = 0.0625
    assert judge(Gate(), table(85), table(90)).holds
    assert not judge(Gate(significance=0.1), table(85), table(90)).holds


def test_better_is_published_but_not_below_the_floor():
    assert judge(Gate(), table(95), table(80)).holds
    assert not judge(Gate(floor=0.99), table(95), table(80)).holds


def test_other_test_pictures_cannot_be_compared():
    found = judge(Gate(), table(50), table(90, prefix="other"))
    assert found.holds
    assert found.pair is None
    assert "cannot be compared" in found.text


def test_lost_predictions_are_not_nothing():
    found = judge(Gate(), table(50), None, first=False)
    assert found.holds
    assert "predictions are gone" in found.text
    assert "Nothing was published before" not in found.text


def test_a_raised_floor_counts_for_what_is_published():
    require_floor(Gate(floor=0.9), 0.9, "birds")
    with pytest.raises(GateClosed, match=r"90\.0% is below the floor of 95\.0%"):
        require_floor(Gate(floor=0.95), 0.9, "birds")


def test_without_test_pictures_nothing_is_published():
    assert not judge(Gate(), table(100, split="train")).holds


def test_a_closed_gate_is_an_error_with_its_reason():
    closed = judge(Gate(floor=0.95), table(90))
    with pytest.raises(GateClosed, match="below the floor"):
        require(closed, "digits")
    assert issubclass(GateClosed, DarkroomError)
    require(judge(Gate(), table(90)), "digits")


def test_a_floor_is_a_share():
    with pytest.raises(ValidationError):
        Gate(floor=90)
