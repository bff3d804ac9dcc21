import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn import metrics as peer

from tasks.evaluate import metrics
from tests.project import examples


@st.composite
def predictions(draw):
    """Labels and probabilities of some classes, right more often than not."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    classes, count = draw(st.integers(2, 5)), draw(st.integers(1, 60))
    labels = rng.integers(0, classes, count)
    scores = rng.random((count, classes)) + 0.3 * np.eye(classes)[labels]
    return labels, scores / scores.sum(axis=1, keepdims=True), [f"c{k}" for k in range(classes)]


@given(predictions())
@examples(60)
def test_metrics_are_those_of_scikit_learn(given_):
    labels, probabilities, classes = given_
    found = metrics.of_predictions(labels, probabilities, classes)
    predicted = probabilities.argmax(axis=1)
    numbers = list(range(len(classes)))
    assert found["accuracy"] == pytest.approx(peer.accuracy_score(labels, predicted))
    assert found["log_loss"] == pytest.approx(peer.log_loss(labels, probabilities, labels=numbers))
    assert found["confusion"] == peer.confusion_matrix(labels, predicted, labels=numbers).tolist()
    report = peer.classification_report(
        labels, predicted, labels=numbers, output_dict=True, zero_division=0
    )
    for number, name in enumerate(classes):
        one, other = found["per_class"][name], report[str(number)]
        assert [one["precision"], one["recall"], one["f1"]] == pytest.approx(
            [other["precision"], other["recall"], other["f1-score"]]
        )
        assert one["support"] == other["support"]
    assert sum(map(sum, found["confusion"])) == len(labels)


@given(predictions())
@examples(60)
def test_the_area_under_the_curve_is_that_of_scikit_learn_or_unknown(given_):
    labels, probabilities, classes = given_
    found = metrics.of_predictions(labels, probabilities, classes)["roc_auc"]
    if len(set(labels.tolist())) < len(classes):
        assert found is None
    elif len(classes) == 2:
        assert found == pytest.approx(peer.roc_auc_score(labels, probabilities[:, 1]))
    else:
        each = [peer.roc_auc_score(labels == k, probabilities[:, k]) for k in range(len(classes))]
        assert found == pytest.approx(np.mean(each))


def test_probabilities_of_low_precision_need_not_sum_to_one_exactly():
    rows = np.array([[0.7001, 0.2, 0.1], [0.1, 0.7999, 0.1], [0.2, 0.2, 0.6001]])
    found = metrics.of_predictions(np.array([0, 1, 2]), rows, ["a", "b", "c"])
    assert found["accuracy"] == found["roc_auc"] == 1
    assert found["log_loss"] < 0.5


def test_a_class_that_is_never_predicted_has_no_precision_and_no_warning():
    rows = np.array([[0.9, 0.1], [0.8, 0.2]])
    found = metrics.of_predictions(np.array([0, 1]), rows, ["a", "b"])
    assert found["per_class"]["b"] == {"precision": 0, "recall": 0, "f1": 0, "support": 1}
    assert found["confusion"] == [[1, 0], [1, 0]]


@pytest.mark.parametrize("name", ["a b", "ünï", "<script>", "a|b*c", "1", "", "accuracy"])
def test_metrics_know_classes_by_their_name_whatever_it_is(name):
    rows = np.array([[0.9, 0.1], [0.2, 0.8]])
    found = metrics.of_predictions(np.array([0, 1]), rows, [name, "other"])
    assert found["per_class"][name]["recall"] == 1


@given(count=st.integers(1, 5000), data=st.data())
@examples(150)
def test_the_interval_is_wilsons(count, data):
    successes = data.draw(st.integers(0, count))
    low, high = metrics.wilson(successes, count)
    expected = binomtest(successes, count).proportion_ci(0.95, method="wilson")
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert 0 <= low <= successes / count + 1e-12
    assert successes / count - 1e-12 <= high <= 1


def test_the_interval_of_a_mean_lies_between_those_of_its_neighbours():
    below, mean, above = (metrics.wilson(k, 100) for k in (90, 90.5, 91))
    assert below[0] < mean[0] < above[0]
    assert below[1] < mean[1] < above[1]


def one_repeat(accuracy, roc_auc=0.9):
    return dict.fromkeys(metrics.METRICS, 0.5) | {
        "accuracy": accuracy,
        "log_loss": 1 - accuracy,
        "roc_auc": roc_auc,
        "per_class": {"a": accuracy},
        "confusion": [[round(100 * accuracy)]],
    }


def test_a_summary_is_the_mean_of_the_repeats_with_the_details_of_the_published_one():
    found = metrics.summary([one_repeat(0.9), one_repeat(0.8), one_repeat(0.7)], 1, 50)
    accuracy = found["accuracy"]
    assert accuracy["mean"] == pytest.approx(0.8)
    low, high = metrics.wilson(40, 50)
    reach = 1.959964 * 0.1  # of the seeds, independent of which pictures were drawn
    assert accuracy["low"] == pytest.approx(0.8 - ((0.8 - low) ** 2 + reach**2) ** 0.5)
    assert accuracy["high"] == pytest.approx(min(1, 0.8 + ((high - 0.8) ** 2 + reach**2) ** 0.5))
    assert accuracy["deviation"] == pytest.approx(0.1)
    assert accuracy["repeats"] == [0.9, 0.8, 0.7]
    assert accuracy["published"] == 0.8
    assert found["log_loss"]["mean"] == pytest.approx(0.2)
    assert found["per_class"] == {"a": 0.8}
    assert found["confusion"] == [[80]]
    assert found["images"] == 50


@pytest.mark.parametrize("classes", [2, 4])
def test_balanced_metrics_are_scikit_learns_and_bootstraps_cover_them(classes):
    from sklearn.metrics import balanced_accuracy_score, f1_score

    draw = np.random.default_rng(classes)
    labels = draw.choice(classes, 300, p=np.r_[0.7, np.full(classes - 1, 0.3 / (classes - 1))])
    probabilities = draw.dirichlet(np.ones(classes), 300)
    probabilities[np.arange(300), labels] += draw.uniform(0, 1, 300)
    names = [str(number) for number in range(classes)]
    found = metrics.of_predictions(labels, probabilities, names)
    chosen = probabilities.argmax(axis=1)
    assert found["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(labels, chosen))
    assert found["macro_f1"] == pytest.approx(f1_score(labels, chosen, average="macro"))
    summed = metrics.summary([found], 0, 300)
    for name in ("balanced_accuracy", "macro_f1"):
        assert summed[name]["low"] < found[name] < summed[name]["high"]
    # The same pictures twice: an interval narrower by the root of two.
    twice = metrics.of_predictions(np.tile(labels, 2), np.tile(probabilities, (2, 1)), names)
    wide, narrow = (
        one["balanced_accuracy"]["high"] - one["balanced_accuracy"]["low"]
        for one in (summed, metrics.summary([twice], 0, 600))
    )
    assert narrow == pytest.approx(wide / 2**0.5, rel=0.15)


def test_a_single_training_has_no_spread():
    assert metrics.summary([one_repeat(0.9)], 0, 10)["accuracy"]["deviation"] == 0


@pytest.mark.parametrize(
    ("areas", "mean"), [([0.8, 0.9], 0.85), ([None, 0.9], 0.9), ([None, None], None)]
)
def test_an_unknown_area_does_not_count_in_the_mean(areas, mean):
    repeats = [one_repeat(0.9, area) for area in areas]
    assert metrics.summary(repeats, 0, 10)["roc_auc"]["mean"] == pytest.approx(mean)


def test_repeats_that_agree_leave_the_interval_as_it_is():
    found = metrics.summary([one_repeat(0.8), one_repeat(0.8)], 0, 50)["accuracy"]
    assert (found["low"], found["high"]) == metrics.wilson(40, 50)


def test_top_5_is_asked_of_many_classes_only_and_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 40, 300)
    scores = rng.random((300, 40)) + np.eye(40)[labels] / 2
    rows = scores / scores.sum(axis=1, keepdims=True)
    found = metrics.of_predictions(labels, rows, [f"c{k}" for k in range(40)])
    expected = peer.top_k_accuracy_score(labels, rows, k=5, labels=range(40))
    assert found["top_5_accuracy"] == pytest.approx(expected)
    few = metrics.of_predictions(labels % 3, rows[:, :3], ["a", "b", "c"])
    assert "top_5_accuracy" not in few


@given(predictions())
@examples(30)
def test_nobody_who_gives_one_answer_reaches_more_than_what_is_said(given_):
    labels, probabilities, classes = given_
    numbers = list(range(len(classes)))
    confusion = peer.confusion_matrix(labels, probabilities.argmax(axis=1), labels=numbers)
    present = sorted(set(labels.tolist()))
    for headline, score in (
        ("accuracy", peer.accuracy_score),
        ("macro_f1", lambda a, b: peer.f1_score(a, b, average="macro", labels=present)),
    ):
        best = max(score(labels, np.full(len(labels), k)) for k in numbers)
        assert metrics.of_one_answer(confusion.tolist(), headline) == pytest.approx(best)
    assert metrics.of_one_answer(confusion.tolist(), "balanced_accuracy") == pytest.approx(
        1 / len(present)
    )
