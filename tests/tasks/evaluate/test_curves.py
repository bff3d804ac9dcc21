"""Every figure equals scikit-learn's, or a computation made another way."""

import numpy as np
import pytest
from sklearn import metrics

from storage.workspace import Workspace
from tasks.evaluate import curves
from tests.tasks.publish import sample


@pytest.fixture
def made(workspace: Workspace):
    return sample.inputs(workspace)


@pytest.fixture
def predicted(made):
    return curves.Predicted.of(made.shown_predictions(), made.classes)


def test_predictions_are_those_of_the_table(made, predicted):
    table = made.shown_predictions()
    names = np.array(made.classes)
    assert list(names[predicted.labels]) == list(table["label"])
    assert list(predicted.correct) == list(table["correct"])
    assert predicted.confidence == pytest.approx(table["probability"])


def test_areas_are_scikit_learns(predicted):
    one_hot = np.eye(3)[predicted.labels]
    areas = [one.area for one in curves.roc(predicted)]
    averages = [one.area for one in curves.precision_recall(predicted)]
    expected = metrics.roc_auc_score(one_hot, predicted.probabilities, average=None)
    assert areas == pytest.approx(list(expected))
    expected = metrics.average_precision_score(one_hot, predicted.probabilities, average=None)
    assert averages == pytest.approx(list(expected))


def test_points_of_a_curve_are_rates_at_some_threshold(predicted):
    curve = curves.roc(predicted)[0]
    score, truth = predicted.probabilities[:, 0], predicted.labels == 0
    for threshold in np.unique(score)[::5]:
        x, y = (score >= threshold)[~truth].mean(), (score >= threshold)[truth].mean()
        assert curves.reached(curve, x) >= y


@pytest.mark.parametrize(("pictures", "bins"), [(5, 1), (45, 2), (199, 9), (1000, 10)])
def test_calibration_is_told_in_bins_of_equal_count(pictures, bins):
    draw = np.random.default_rng(pictures)
    probabilities = draw.dirichlet([0.5, 0.5, 0.5], pictures)
    predicted = curves.Predicted(["a", "b", "c"], draw.integers(0, 3, pictures), probabilities)
    found = curves.calibration(predicted)
    assert len(found) == bins
    counts = [one.pictures for one in found]
    assert sum(counts) == pictures
    assert max(counts) - min(counts) <= 1
    ranked = sorted(range(pictures), key=lambda k: predicted.confidence[k])
    expected = 0.0
    for one in found:
        inside, ranked = ranked[: one.pictures], ranked[one.pictures :]
        accuracy = sum(bool(predicted.correct[k]) for k in inside) / len(inside)
        confidence = sum(float(predicted.confidence[k]) for k in inside) / len(inside)
        assert (one.accuracy, one.confidence) == pytest.approx((accuracy, confidence))
        assert one.low == min(predicted.confidence[k] for k in inside)
        assert one.high == max(predicted.confidence[k] for k in inside)
        expected += len(inside) / pictures * abs(accuracy - confidence)
    assert curves.expected_calibration_error(found) == pytest.approx(expected)


def test_a_perfectly_sure_and_right_model_is_calibrated():
    predicted = curves.Predicted(["a", "b"], np.array([0, 1]), np.eye(2))
    assert curves.expected_calibration_error(curves.calibration(predicted)) == 0


def test_a_class_without_pictures_has_no_curve():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.2, 0.5, 0.3]])
    predicted = curves.Predicted(["a", "b", "c"], np.array([0, 1]), probabilities)
    assert [one.name for one in curves.roc(predicted)] == ["a", "b"]
    assert [one.name for one in curves.precision_recall(predicted)] == ["a", "b"]
