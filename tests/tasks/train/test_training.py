"""Training of heads: the same whichever way it is interrupted or fed."""

import numpy as np
import pytest

from storage.features import FeatureSpace, FeatureStore, FeatureTable
from tasks.tensorflow import load_keras
from tasks.train import batches, checkpoint
from tasks.train.fit import Labelled, fit_head
from tasks.train.head import DenseLayer, Head, build_head

SHAPE = (2, 2, 8)


def labelled(count, seed, classes=2):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, count)
    values = rng.normal(labels[:, None], 2.0, (count, 32)).astype(np.float16)
    return Labelled(lambda positions: values[positions], labels)


def fit(unfinished, epochs=6, **options):
    defaults = {
        "shape": SHAPE, "classes": 2, "head": Head(layers=(DenseLayer(units=8, dropout=0.5),)),
        "optimizer": "adam", "learning_rate": 0.01, "epochs": epochs, "batch_size": 8,
        "patience": None, "keep": "best", "seed": 3, "unfinished": unfinished,
    }  # fmt: skip
    return fit_head(labelled(60, 1), labelled(30, 2), **defaults | options)


def weights_of(fitted):
    return [array.tolist() for array in fitted.model.get_weights()]


def test_the_same_seed_gives_the_same_head(tmp_path):
    assert weights_of(fit(tmp_path / "a")) == weights_of(fit(tmp_path / "b"))


def test_another_seed_gives_another_head(tmp_path):
    assert weights_of(fit(tmp_path / "a")) != weights_of(fit(tmp_path / "b", seed=4))


def test_a_training_taken_up_again_ends_as_if_it_had_never_stopped(tmp_path):
    whole = fit(tmp_path / "whole")
    fit(tmp_path / "state", epochs=4, seconds_between=0.0)
    resumed = fit(tmp_path / "state")
    assert [row["epoch"] for row in resumed.history] == [1, 2, 3, 4, 5, 6]
    assert resumed.history == whole.history
    assert weights_of(resumed) == weights_of(whole)


def test_half_a_saved_state_counts_as_none(tmp_path):
    fit(tmp_path / "state", epochs=4, seconds_between=0.0)
    model = tmp_path / "state" / checkpoint.MODEL
    model.write_bytes(model.read_bytes()[:100])
    assert checkpoint.load(tmp_path / "state") is None
    assert len(fit(tmp_path / "state").history) == 6


def test_the_best_epoch_on_validation_is_kept(tmp_path):
    fitted = fit(tmp_path / "a", epochs=30, learning_rate=0.1)
    best = min(fitted.history, key=lambda row: row["val_loss"])
    assert best["epoch"] < 30
    held_out = labelled(30, 2)
    batch = batches.in_order(held_out.rows, held_out.labels, SHAPE, batch_size=30)
    loss, _ = fitted.model.evaluate(batch, verbose=0)
    assert loss == pytest.approx(best["val_loss"], rel=1e-4)


def test_patience_stops_early_and_counts_epochs_before_a_kill(tmp_path):
    options = {"patience": 3, "learning_rate": 0.1}
    whole = fit(tmp_path / "whole", epochs=50, **options)
    assert len(whole.history) < 50
    assert checkpoint.epochs_since_best(whole.history) == 3
    stop = len(whole.history) - 2
    fit(tmp_path / "state", epochs=stop, seconds_between=0.0, **options)
    assert fit(tmp_path / "state", epochs=50, **options).history == whole.history


def test_without_validation_pictures_the_training_loss_decides(tmp_path):
    empty = Labelled(lambda positions: np.zeros((0, 32)), np.zeros(0, np.int64))
    fitted = fit_head(
        labelled(60, 1), empty, shape=SHAPE, classes=2, head=Head(), optimizer="adam",
        learning_rate=0.01, epochs=3, batch_size=8, patience=None, keep="best", seed=1,
        unfinished=tmp_path / "s",
    )  # fmt: skip
    assert "val_loss" not in fitted.history[0]
    assert fitted.best_loss == min(row["loss"] for row in fitted.history)


@pytest.mark.parametrize(
    ("pooling", "parameters"),
    [("flatten", 12800 * 256), ("average", 512 * 256), ("max", 512 * 256)],
)
def test_the_head_has_the_published_size(pooling, parameters):
    model = build_head(Head(pooling=pooling), (5, 5, 512), 2)
    assert model.count_params() == parameters + 256 + 256 + 1


def test_more_classes_give_a_softmax():
    model = build_head(Head(), (1, 1, 8), 5)
    assert model.output_shape == (None, 5)
    assert np.asarray(model(np.ones((3, 1, 1, 8)))).sum(axis=1) == pytest.approx(1, abs=1e-6)


def test_batches_are_the_same_from_memory_and_from_disk(workspace):
    space = FeatureSpace(
        backbone="x", weights="", layer="last", image_size=4, resizing="",
        preprocessing="rescale", precision="float32", shape=SHAPE,
    )  # fmt: skip
    store = FeatureStore(workspace, space)
    names = [f"picture {number}" for number in range(40)]
    values = np.random.default_rng(1).normal(size=(40, *SHAPE))
    store.add(names[:25], values[:25])
    store.add(names[25:], values[25:])
    table = FeatureTable.of(workspace, store.reference(names), names)
    labels = np.arange(40)
    kept = [
        batches.dataset(batches.rows_of(table, limit), labels, SHAPE, batch_size=16, seed=5)
        for limit in (10**9, 0)
    ]
    for index in range(3):
        (held, first), (mapped, second) = kept[0][index], kept[1][index]
        assert held.tolist() == mapped.tolist()
        assert first.tolist() == second.tolist()
    assert sorted(np.concatenate([kept[1][i][1] for i in range(3)]).tolist()) == list(range(40))


def test_each_epoch_is_shuffled_anew_and_a_later_start_sees_the_same():
    rows, labels = labelled(50, 1)
    early = batches.dataset(rows, labels, SHAPE, batch_size=50, seed=2)
    first = early[0][0].tolist()
    early.on_epoch_end()
    later = batches.dataset(rows, labels, SHAPE, batch_size=50, seed=2, first_epoch=1)
    assert early[0][0].tolist() == later[0][0].tolist() != first


def test_the_whole_model_gives_two_columns_and_takes_any_size():
    from tasks.train.export import whole_model

    keras = load_keras()
    given = keras.Input((32, 32, 3))
    backbone = keras.Model(given, keras.layers.AveragePooling2D(16)(given))
    head = build_head(Head(), (2, 2, 3), 2)
    model = whole_model(backbone, head, 32)
    for size in ((20, 50), (32, 32)):
        out = np.asarray(model(np.ones((2, *size, 3), np.float32)))
        assert out.shape == (2, 2)
        assert out.sum(axis=1) == pytest.approx(1, abs=1e-6)
