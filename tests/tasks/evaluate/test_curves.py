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


def test_calibration_equals_a_naive_computation(predicted):
    bins = curves.calibration(predicted)
    total, expected = len(predicted.labels), 0.0
    for number in range(10):
        inside = [
            k for k, p in enumerate(predicted.confidence) if number / 10 < p <= (number + 1) / 10
        ]
        assert bins[number].pictures == len(inside)
        if inside:
            accuracy = sum(bool(predicted.correct[k]) for k in inside) / len(inside)
            confidence = sum(float(predicted.confidence[k]) for k in inside) / len(inside)
            assert bins[number].accuracy == pytest.approx(accuracy)
            expected += len(inside) / total * abs(accuracy - confidence)
    assert curves.expected_calibration_error(bins) == pytest.approx(expected)


def test_a_perfectly_sure_and_right_model_is_calibrated():
    predicted = curves.Predicted(["a", "b"], np.array([0, 1]), np.eye(2))
    assert curves.expected_calibration_error(curves.calibration(predicted)) == 0


def test_a_class_without_pictures_has_no_curve():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.2, 0.5, 0.3]])
    predicted = curves.Predicted(["a", "b", "c"], np.array([0, 1]), probabilities)
    assert [one.name for one in curves.roc(predicted)] == ["a", "b"]
    assert [one.name for one in curves.precision_recall(predicted)] == ["a", "b"]
