"""Fine-tuning: what is frozen is computed once, the tuned model begins where the head ended."""

from types import SimpleNamespace

import numpy as np
import pytest

from tasks.running.tensorflow import load_keras
from tasks.train import batches, checkpoint, parts
from tasks.train.batches import Labelled
from tasks.train.fine_tuning import build_tuned, through
from tasks.train.fit import fit
from tasks.train.head import build_head
from tasks.train.parameters import DenseLayer, FineTuning, Head, Training
from tasks.train.randomness import start_from

SHAPE = (4, 4, 6)
HEAD = Head(layers=(DenseLayer(units=5),))
TUNING = FineTuning(head=HEAD, head_epochs=2, head_learning_rate=0.02)


def top():
    """The last block of a small backbone, with batch normalisation in it."""
    keras = load_keras()
    start_from(1)
    given = keras.Input(SHAPE)
    x = keras.layers.Conv2D(7, 3, padding="same", activation="relu", name="block_conv")(given)
    x = keras.layers.BatchNormalization(name="block_normal")(x)
    return keras.Model(given, keras.layers.MaxPooling2D(2, name="block_pool")(x), name="top")


def data(count, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)
    width = int(np.prod(SHAPE))
    values = rng.normal(labels[:, None], 2.0, (count, width)).astype(np.float16)
    reads = []

    def rows(positions):
        reads.append(len(positions))
        return values[positions]

    return Labelled(rows, labels), reads


def test_frozen_layers_see_each_picture_once_however_many_epochs_follow():
    held_in, reads = data(100, 1)
    seen = through(top(), held_in, SHAPE)
    assert sum(reads) == 100
    for _ in range(5):
        seen.rows(np.arange(100))
    assert sum(reads) == 100


def test_what_does_not_fit_in_memory_is_computed_when_asked_for(monkeypatch):
    held_in, reads = data(30, 1)
    whole = through(top(), held_in, SHAPE).rows(np.arange(30))
    monkeypatch.setattr(batches, "memory_bytes", lambda: 0)
    reads.clear()
    streamed = through(top(), held_in, SHAPE)
    assert reads == []
    assert streamed.rows(np.arange(30)) == pytest.approx(whole, rel=1e-2, abs=1e-3)
    assert reads == [30]


def test_the_tuned_model_begins_with_what_the_head_had_learned():
    held_in, _ = data(40, 1)
    block = top()
    head = build_head(TUNING.head, tuple(block.output_shape[1:]), 2)
    tuned = build_tuned(TUNING, block, head, SHAPE, 2)
    features = held_in.rows(np.arange(40)).reshape(-1, *SHAPE)
    below = through(top(), held_in, SHAPE).rows(np.arange(40)).reshape(-1, *block.output_shape[1:])
    assert np.asarray(tuned(features)) == pytest.approx(np.asarray(head(below)), abs=2e-3)
    names = {weight.path.split("/")[-2] for weight in tuned.trainable_weights}
    assert {"block_conv", "dense_1", "probability"} <= names


def test_statistics_of_batch_normalisation_stay_as_they_were(tmp_path):
    held_in, _ = data(40, 1)
    block = top()
    head = build_head(TUNING.head, tuple(block.output_shape[1:]), 2)
    before = [array.copy() for array in block.get_layer("block_normal").get_weights()[2:]]
    kernel = block.get_layer("block_conv").get_weights()[0].copy()
    fitted = fit(
        lambda: build_tuned(TUNING, block, head, SHAPE, 2), held_in, data(20, 2)[0],
        training=Training(learning_rate=1e-2, epochs=2, batch_size=8, keep="last"),
        shape=SHAPE, seed=1,
        unfinished=tmp_path,
    )  # fmt: skip
    after = fitted.model.get_layer("top").get_layer("block_normal").get_weights()[2:]
    for one, other in zip(before, after, strict=True):
        assert (one == other).all()
    tuned = fitted.model.get_layer("top").get_layer("block_conv").get_weights()[0]
    assert np.abs(tuned - kernel).max() > 1e-3


def test_a_second_stage_taken_up_again_does_not_train_the_head_again(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "backbone_of", lambda *_: SimpleNamespace(above=top))
    held_in, _ = data(40, 1)
    held_out, _ = data(20, 2)
    heads = []
    first_stage = parts.fit
    monkeypatch.setattr(parts, "fit", lambda *a, **k: (heads.append(1), first_stage(*a, **k))[1])

    def trained(folder, epochs):
        training = Training(epochs=epochs, batch_size=8, seconds_between_checkpoints=1e-9)
        space = SimpleNamespace(shape=SHAPE)
        made_of = parts.Materials(space, None, 2, held_in, held_out, training)
        build = parts._tuned(TUNING, made_of)
        return fit(
            lambda: build.model(1, folder, ()), held_in, held_out, shape=SHAPE,
            training=training, seed=1, unfinished=folder,
        )  # fmt: skip

    whole = trained(tmp_path / "whole", 4)
    head, _, learned = checkpoint.load(tmp_path / "whole" / "head")
    assert len(learned) == TUNING.head_epochs
    assert float(head.optimizer.learning_rate) == pytest.approx(TUNING.head_learning_rate)
    trained(tmp_path / "killed", 2)
    heads.clear()
    resumed = trained(tmp_path / "killed", 4)
    assert heads == []
    assert resumed.history == whole.history
