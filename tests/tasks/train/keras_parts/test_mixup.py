"""Mixup: what is blended with what, and that a resumed training sees the same."""

import os
import subprocess
import sys

import numpy as np
import pytest

from storage.errors import ParameterError
from tasks.running.tensorflow import load_tensorflow
from tasks.train.batches import Labelled
from tasks.train.fit import fit
from tasks.train.head import build_head
from tasks.train.keras_parts.mixup import mixed
from tasks.train.parameters import Head, Training
from tests.project import PROJECT

SHAPE = (2, 2, 8)


def batches(count=6, size=4):
    """Row n is filled with n and is of class n % 3."""
    tf = load_tensorflow()
    numbers = np.arange(count * size)
    rows = np.broadcast_to(numbers[:, None, None, None], (len(numbers), *SHAPE)).astype(np.float16)
    labels = np.eye(3, dtype=np.float32)[numbers % 3]
    return tf.data.Dataset.from_tensor_slices((rows, labels)).batch(size)


def taken(dataset):
    return [(rows.numpy(), labels.numpy()) for rows, labels in dataset]


def test_rows_and_labels_are_blended_by_the_same_share_and_a_rows_own_is_the_larger():
    found = taken(mixed(batches(), 0.4, seed=1, first_batch=0))
    shares = []
    for (rows, labels), (plain, own) in zip(found, taken(batches()), strict=True):
        first, other = plain[:, 0, 0, 0].astype(float), plain[::-1, 0, 0, 0].astype(float)
        share = (rows[:, 0, 0, 0] - other) / (first - other)
        shares += share.tolist()
        assert np.ptp(rows.reshape(len(rows), -1), axis=1) == pytest.approx(0, abs=1e-5)
        expected = share[:, None] * own + (1 - share)[:, None] * own[::-1]
        assert labels == pytest.approx(expected, abs=1e-4)
        assert labels.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert min(shares) >= 0.5 - 1e-5
    assert max(shares) <= 1 + 1e-5
    assert np.std(shares) > 0.05


def test_a_smaller_alpha_leaves_rows_more_as_they_are():
    def least(alpha):
        found = taken(mixed(batches(60), alpha, seed=1, first_batch=0))
        return np.mean([labels.max(axis=1).mean() for _, labels in found])

    assert least(0.05) > least(0.4) > least(4.0)


def test_shares_are_drawn_by_seed_and_batch_wherever_a_training_begins():
    def labels_of(seed, first):
        later = batches().skip(first)
        found = taken(mixed(later, 0.4, seed=seed, first_batch=first))
        return [labels.tolist() for _, labels in found]

    assert labels_of(1, 0)[2:] == labels_of(1, 2)
    assert labels_of(1, 0) != labels_of(2, 0)


def trained(unfinished, classes, epochs=6, **options):
    numbers = np.arange(60) % classes
    values = np.random.default_rng(1).normal(numbers[:, None], 1.0, (60, 32)).astype(np.float16)
    data = Labelled(lambda positions: values[positions], numbers)
    training = Training(
        learning_rate=0.01, epochs=epochs, batch_size=8, seconds_between_checkpoints=1e-9, **options
    )
    return fit(
        lambda: build_head(Head(), SHAPE, classes), data, data,
        shape=SHAPE, training=training, seed=1, unfinished=unfinished,
    )  # fmt: skip


@pytest.mark.parametrize("options", [{"mixup": 0.4}, {"mixup": 0.4, "label_smoothing": 0.1}])
def test_a_training_with_blended_pictures_is_resumed_as_if_it_had_never_stopped(tmp_path, options):
    whole = trained(tmp_path / "whole", 3, **options)
    assert whole.history != trained(tmp_path / "plain", 3).history
    trained(tmp_path / "state", 3, epochs=2, **options)
    assert trained(tmp_path / "state", 3, **options).history == whole.history


def test_a_sigmoid_refuses_blended_labels(tmp_path):
    with pytest.raises(ParameterError, match=r"training\.mixup is for softmaxes"):
        trained(tmp_path / "state", 2, mixup=0.4)


def test_a_training_prints_nothing_least_of_all_the_environment(tmp_path):
    script = f"""
import numpy as np
from pathlib import Path
from tasks.pictures.parameters import Augmentation
from tasks.train.batches import Labelled
from tasks.train.fit import fit
from tasks.train.networks import build_network
from tasks.train.parameters import Network
from tasks.train.parameters import Training
pixels = np.zeros((12, 28 * 28 * 3), np.uint8)
data = Labelled(lambda positions: pixels[positions], np.arange(12) % 3)
changes = Augmentation(rotation=10, horizontal_flip=True)
fit(
    lambda: build_network(Network(network="lenet5"), (28, 28, 3), 3), data, data, shape=(28, 28, 3),
    training=Training(epochs=1, batch_size=4, cosine=True, mixup=0.2, augmentation=changes),
    seed=1, unfinished=Path({str(tmp_path)!r}),
)
"""
    secret = os.environ | {"SOMEBODYS_TOKEN": "hunter2"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=PROJECT,
        env=secret,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
