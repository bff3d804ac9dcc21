import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from sklearn.metrics import balanced_accuracy_score

from tasks.evaluate import comparing

counts = st.integers(0, 60)


def table(correct, split="test", first=0):
    names = [f"{first + number}.jpg" for number in range(len(correct))]
    said = ["cat" if right else "dog" for right in correct]
    return pd.DataFrame(
        {"image": names, "split": split, "label": "cat", "predicted": said, "correct": correct}
    )


def test_both_are_judged_by_the_labels_of_the_first():
    """The second said dog of a cat that has become a dog since: it was right."""
    before = table([True, True, False])
    after = table([True, True, True]).assign(
        label=["cat", "cat", "dog"], predicted=["cat", "cat", "dog"]
    )
    assert comparing.paired(after, before)[:5] == (3, 3, 0, 0, 0)
    assert comparing.by_labels_of(before, after)["correct"].tolist() == [True, True, True]
    assert comparing.by_labels_of(before, table([True])).equals(before)


@given(counts, counts)
def test_mcnemar_is_twice_the_smaller_tail(a, b):
    expected = min(1.0, 2 * binom.cdf(min(a, b), a + b, 0.5))
    assert comparing.mcnemar(a, b) == pytest.approx(expected)


@pytest.mark.parametrize(("a", "b"), [(0, 0), (1, 9), (10, 2), (25, 25), (120, 90)])
def test_mcnemar_is_that_of_statsmodels(a, b):
    tables = pytest.importorskip("statsmodels.stats.contingency_tables")
    expected = tables.mcnemar([[3, a], [b, 4]], exact=True).pvalue
    assert comparing.mcnemar(a, b) == pytest.approx(float(expected))


def test_pairs_only_what_both_were_tested_on():
    first = pd.concat([table([True, True, False, True]), table([False], "train", 4)])
    second = pd.concat([table([True, False, True, False]), table([True], "test", 4)])
    pair = comparing.paired(first, second.sample(frac=1, random_state=0))
    assert pair is not None
    assert pair[:5] == (4, 1, 2, 1, 0)


def test_nothing_shared_is_no_pair():
    assert comparing.paired(table([True]), table([True], first=7)) is None


@pytest.mark.parametrize(
    ("flipped", "expected"), [(20, "better"), (-20, "worse"), (2, "no different")]
)
def test_judges(flipped, expected):
    base = np.arange(100) < 50
    other = base.copy()
    other[50 : 50 + flipped] = True
    if flipped < 0:
        other[:-flipped] = False
    pair = comparing.paired(table(other), table(base))
    assert pair is not None
    assert comparing.judged(pair) == expected


def test_says_the_counts():
    pair = comparing.paired(table([True] * 9 + [False]), table([False] * 8 + [True, True]))
    assert pair is not None
    text = comparing.counted(pair, "A", "B")
    assert "10 test pictures" in text
    assert "A alone is right on 8 and B alone on 1" in text
    assert "p = 0.039" in text


def answered(labels, said, split="test"):
    names = [f"{number}.jpg" for number in range(len(labels))]
    return pd.DataFrame({"image": names, "label": labels, "predicted": said, "split": split})


def test_a_difference_of_recalls_is_what_scikit_learn_gives_for_both():
    labels = ["a"] * 80 + ["b"] * 20
    first = answered(labels, ["a"] * 85 + ["b"] * 15)
    second = answered(labels, ["a"] * 95 + ["b"] * 5)
    found = comparing.difference(first, second.sample(frac=1, random_state=1), "balanced_accuracy")
    assert found is not None
    expected = [balanced_accuracy_score(labels, one["predicted"]) for one in (first, second)]
    assert found.mean == pytest.approx(expected[0] - expected[1])
    assert found.low < found.mean < found.high
    assert found.how == "better"
    assert comparing.difference(second, first, "balanced_accuracy").how == "worse"
    assert comparing.difference(first, first, "macro_f1").how == "no different"


def test_no_difference_without_shared_test_pictures():
    one = answered(["a", "b"], ["a", "a"])
    assert comparing.difference(one, one.assign(split="train"), "macro_f1") is None


def test_a_model_with_other_classes_can_be_compared():
    first, second = (
        answered(["a", "b"] * 20, ["a", "b"] * 20),
        answered(["a", "b"] * 20, ["c"] * 40),
    )
    assert comparing.difference(first, second, "macro_f1").how == "better"
