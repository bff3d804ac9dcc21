import pandas as pd
import pytest
from pydantic import ValidationError

from storage.errors import DarkroomError
from tasks.publish.parameters import Gate
from tasks.publish.release import gate
from tasks.publish.release.gate import GateClosed, require, require_bounds


def table(right, total=100, split="test", prefix=""):
    return pd.DataFrame(
        {
            "image": [f"{prefix}{number}" for number in range(total)],
            "split": split,
            "label": "cat",
            "predicted": ["cat" if number < right else "dog" for number in range(total)],
            "correct": [number < right for number in range(total)],
        }
    )


def measured(accuracy, **others):
    """Of three classes, none of which has much more than a third of the pictures."""
    found = {"accuracy": accuracy, **others}
    return {name: {"published": value} for name, value in found.items()} | {
        "confusion": [[20, 14, 0], [3, 20, 10], [13, 0, 20]]
    }


def judge(rule, candidate, current=None, **options):
    """The gate on a table of a hundred, whose accuracy is what it says."""
    metrics = measured(float(candidate["correct"].mean()), log_loss=0.3, roc_auc=None)
    return gate.judge(rule, candidate, current, metrics=metrics, **options)


def test_the_first_model_needs_only_the_floor():
    found = judge(Gate(floor=0.9), table(90))
    assert found.holds
    assert "Nothing was published before" in found.text
    found = judge(Gate(floor=0.91), table(90))
    assert not found.holds
    assert "90.0% is below the floor of 91.0%" in found.text


def test_a_model_that_is_no_better_than_one_answer_is_published_only_where_that_is_asked_for():
    found = judge(Gate(), table(34))
    assert not found.holds
    assert "Always giving the same answer would reach 34.0%" in found.text
    assert judge(Gate(), table(35)).holds
    assert judge(Gate(floor=0.1), table(34)).holds


def test_of_few_test_pictures_chance_does_not_decide():
    few = {"accuracy": {"published": 0.2}, "confusion": [[2, 3], [5, 0]]}
    assert gate.judge(Gate(), table(2, total=10), metrics=few).holds


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


def test_other_test_pictures_cannot_be_compared_and_take_nobodys_place_unasked():
    before = table(90, prefix="other")
    found = judge(Gate(), table(50), before)
    assert not found.holds
    assert "100% of the pictures of the current model are gone." in found.text
    assert "publish.gate.accept_loss=true" in found.text
    found = judge(Gate(accept_loss=True), table(50), before)
    assert found.holds
    assert found.pair is None
    assert "cannot be compared" in found.text


def test_lost_predictions_are_not_nothing():
    found = judge(Gate(), table(50), None, first=False)
    assert found.holds
    assert "predictions are gone" in found.text
    assert "Nothing was published before" not in found.text


def test_a_raised_floor_counts_for_what_is_published():
    require_bounds(Gate(floor=0.9), measured(0.9), "birds")
    with pytest.raises(GateClosed, match=r"90\.0% is below the floor of 95\.0%"):
        require_bounds(Gate(floor=0.95), measured(0.9), "birds")


def test_without_test_pictures_nothing_is_published():
    assert not judge(Gate(), table(100, split="train")).holds


def test_a_closed_gate_is_an_error_with_its_reason():
    closed = judge(Gate(floor=0.95), table(90))
    with pytest.raises(GateClosed, match="below the floor"):
        require(closed, "digits")
    assert issubclass(GateClosed, DarkroomError)
    require(judge(Gate(), table(90)), "digits")


@pytest.mark.parametrize(
    ("bounds", "holds", "said"),
    [
        ({"log_loss": 0.3}, True, "Test Log loss 0.3000 keeps to the bound of 0.3."),
        ({"log_loss": 0.2}, False, "Test Log loss 0.3000 is above the bound of 0.2."),
        ({"accuracy": 0.9}, True, "Test Accuracy 90.0\u202f% reaches the bound of 0.9."),
        ({"accuracy": 0.91}, False, "is below the bound of 0.91."),
        ({"log_loss": 0.3, "roc_auc": 0.5}, False, "Test ROC AUC is unknown"),
    ],
)
def test_a_bound_is_the_least_of_a_metric_or_the_most_where_lower_is_better(bounds, holds, said):
    found = judge(Gate(bounds=bounds), table(90))
    assert found.holds == holds
    assert said in found.text


def test_a_bound_on_a_metric_that_there_is_not_names_the_nearest():
    with pytest.raises(ValidationError, match=r"no metric 'logloss': did you mean log_loss\?"):
        Gate(bounds={"logloss": 1})


def test_a_floor_is_a_share():
    with pytest.raises(ValidationError):
        Gate(floor=90)


def uneven(right_of_rare):
    """90 pictures of a class, all recognised, and 10 of another, so many of them recognised."""
    said = ["cat"] * 90 + ["dog"] * right_of_rare + ["cat"] * (10 - right_of_rare)
    found = pd.DataFrame({"label": ["cat"] * 90 + ["dog"] * 10, "predicted": said})
    return found.assign(
        image=[str(number) for number in range(100)],
        split="test",
        correct=found["label"] == found["predicted"],
    )


def judge_balanced(rule, right_of_rare, current=None):
    confusion = [[90, 0], [10 - right_of_rare, right_of_rare]]
    metrics = {
        "accuracy": {"published": 0.9 + right_of_rare / 100},
        "balanced_accuracy": {"published": 0.5 + right_of_rare / 20},
        "confusion": confusion,
    }
    return gate.judge(
        rule, uneven(right_of_rare), current, metrics=metrics, headline="balanced_accuracy"
    )


def test_the_floor_is_of_the_figure_that_leads():
    found = judge_balanced(Gate(floor=0.9), 7)
    assert not found.holds
    assert "Test balanced accuracy 85.0% is below the floor of 90.0%." in found.text
    assert judge_balanced(Gate(floor=0.85), 7).holds


def test_one_answer_is_no_better_by_any_figure():
    found = judge_balanced(Gate(), 0)
    assert not found.holds
    assert "Always giving the same answer would reach 50.0%" in found.text


def test_a_balanced_figure_that_falls_keeps_the_current_model_whatever_accuracy_says():
    found = judge_balanced(Gate(), 2, uneven(9))
    assert not found.holds
    assert "balanced accuracy changes by -35.0 points" in found.text
    assert judge_balanced(Gate(), 8, uneven(9)).holds
    assert "Significantly better" in judge_balanced(Gate(), 9, uneven(2)).text


def test_a_bound_on_a_metric_that_is_not_measured_is_not_kept():
    found = judge(Gate(bounds={"top_5_accuracy": 0.5}), table(90))
    assert not found.holds
    assert "Test Top-5 accuracy is unknown, which is not within the bound" in found.text


def labelled(**counts):
    """All recognised; of each class so many, named by its number."""
    rows = [(f"{name}{number}", name) for name, count in counts.items() for number in range(count)]
    found = pd.DataFrame(rows, columns=["image", "label"])
    return found.assign(split="test", predicted=found["label"], correct=True)


def judge_kept(now, before, **gate_settings):
    return gate.judge(Gate(**gate_settings), now, before, metrics=measured(1.0))


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [
        ({"cat": 50}, {"cat": 50, "dog": 2}, "A class of the current model is gone: dog."),
        (
            {"cat": 50},
            {"cat": 50, "dog": 1, "hen": 1},
            "2 classes of the current model are gone: dog, hen.",
        ),
        ({"cat": 83, "dog": 9}, {"cat": 90, "dog": 9}, None),
        (
            {"cat": 78, "dog": 8},
            {"cat": 90, "dog": 9},
            "13% of the pictures of the current model are gone.",
        ),
        ({"ant": 50, "bee": 50}, {"cat": 90}, "No class of the current model is left"),
        ({"cat": 90, "dog": 5}, {"cat": 90}, None),
    ],
)
def test_what_lost_something_does_not_take_the_place_of_what_had_it(now, before, said):
    found = judge_kept(labelled(**now), labelled(**before))
    assert found.holds == (said is None)
    if said is None:
        assert "gone" not in found.text
        return
    assert said in found.text
    accepted = judge_kept(labelled(**now), labelled(**before), accept_loss=True)
    assert accepted.holds
    assert "That is accepted" in accepted.text


def test_a_class_that_came_is_told():
    found = judge_kept(labelled(cat=40, dog=40, hen=5), labelled(cat=40, dog=40))
    assert found.holds
    assert "A class is new: hen." in found.text
    assert "On the 80 test pictures that both share" in found.text
