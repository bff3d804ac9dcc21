"""Temperature: probabilities that are too sure, or not sure enough, come to mean what they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.evaluate.curves import Predicted, calibration, expected_calibration_error
from tasks.running.tensorflow import load_keras
from tasks.train.choosing import temperature
from tasks.train.choosing.logits import of_probabilities, softmax


def applied(probabilities, heat):
    return softmax(of_probabilities(probabilities) / heat)


def fitted(probabilities, labels):
    return temperature.fitted(of_probabilities(probabilities), labels)


def drawn(heat, count=4000, classes=4, seed=0):
    """Probabilities of a model that is too sure by `heat`, and labels drawn from the true ones."""
    draw = np.random.default_rng(seed)
    true = softmax(draw.normal(0, 1.5, (count, classes)))
    labels = np.array([draw.choice(classes, p=row) for row in true])
    return applied(true, 1 / heat), labels


@pytest.mark.parametrize("heat", [0.5, 1.0, 2.5])
def test_the_temperature_is_found_again(heat):
    probabilities, labels = drawn(heat)
    found = fitted(probabilities, labels)
    assert found == pytest.approx(heat, rel=0.1)
    names = list("abcd")
    before, after = (
        expected_calibration_error(calibration(Predicted(names, labels, one)))
        for one in (probabilities, applied(probabilities, found))
    )
    assert after < 0.03
    assert heat == 1 or after < before / 2


@given(st.floats(0.1, 10), st.integers(0, 99))
def test_the_most_probable_class_stays(heat, seed):
    probabilities, _ = drawn(1.0, count=30, seed=seed)
    cooled = applied(probabilities, heat)
    assert np.array_equal(cooled.argmax(axis=1), probabilities.argmax(axis=1))
    assert cooled.sum(axis=1) == pytest.approx(1)


def test_a_model_without_errors_does_not_become_infinitely_sure():
    labels = np.arange(100) % 3
    probabilities = np.full((100, 3), 0.1)
    probabilities[np.arange(100), labels] = 0.8
    found = fitted(probabilities, labels)
    cooled = applied(probabilities, found)
    assert 0.9 < cooled.max() < 0.9999


def test_few_pictures_say_nothing():
    assert fitted(np.eye(3), np.arange(3)) == 1


@pytest.mark.parametrize(("units", "activation"), [(1, "sigmoid"), (3, "softmax")])
def test_a_model_says_what_was_computed(units, activation):
    keras = load_keras()
    inputs = keras.Input((5,))
    layer = keras.layers.Dense(units, activation=activation, name="probability")
    model = keras.Model(inputs, layer(inputs))
    rows = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)

    def said():
        out = np.asarray(model(rows), np.float64)
        return np.hstack([1 - out, out]) if units == 1 else out

    before = said()
    temperature.apply(model, 2.0)
    assert said() == pytest.approx(applied(before, 2.0), abs=1e-6)
