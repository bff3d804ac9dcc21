"""Training of heads: the same whichever way it is interrupted or fed."""

import importlib
import json
import os
import signal
from typing import get_args

import numpy as np
import pytest
from pydantic import ValidationError

from storage import digests
from storage.errors import DarkroomError, TrainingDiverged
from storage.features import FeatureSpace, FeatureStore, FeatureTable
from tasks.pictures.parameters import Augmentation, Square
from tasks.running.tensorflow import load_keras
from tasks.train import batches, checkpoint
from tasks.train.batches import Labelled
from tasks.train.fit import fit as fit_model
from tasks.train.head import build_head
from tasks.train.parameters import Activation, DenseLayer, Head, Training
from tasks.train.randomness import STATE

SHAPE = (2, 2, 8)


def labelled(count, seed, classes=2):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, count)
    values = rng.normal(labels[:, None], 2.0, (count, 32)).astype(np.float16)
    return Labelled(lambda positions: values[positions], labels)


def schedule(epochs=6, **options):
    defaults = {"optimizer": "adam", "learning_rate": 0.01, "batch_size": 8}
    return Training(epochs=epochs, **defaults | options)


def fit(unfinished, epochs=6, seed=3, callbacks=(), train=None, **options):
    head = Head(layers=(DenseLayer(units=8, dropout=0.5),))
    return fit_model(
        lambda: build_head(head, SHAPE, 2),
        train or labelled(60, 1),
        labelled(30, 2),
        shape=SHAPE,
        training=schedule(epochs, **options),
        seed=seed,
        unfinished=unfinished,
        callbacks=callbacks,
    )


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The training that nothing stops, done once."""
    return fit(tmp_path_factory.mktemp("whole"))


def weights_of(fitted):
    return [array.tolist() for array in fitted.model.get_weights()]


def test_the_same_seed_gives_the_same_head(tmp_path):
    assert weights_of(fit(tmp_path / "a")) == weights_of(fit(tmp_path / "b"))


def test_another_seed_gives_another_head(tmp_path):
    assert weights_of(fit(tmp_path / "a")) != weights_of(fit(tmp_path / "b", seed=4))


def test_a_training_taken_up_again_ends_as_if_it_had_never_stopped(tmp_path, undisturbed):
    whole = undisturbed
    fit(tmp_path / "state", epochs=4, seconds_between_checkpoints=1e-9)
    resumed = fit(tmp_path / "state")
    assert [row["epoch"] for row in resumed.history] == [1, 2, 3, 4, 5, 6]
    assert resumed.history == whole.history
    assert weights_of(resumed) == weights_of(whole)


class Killed(Exception):
    """Stands for a signal: nothing after it is done."""


def killed_after(epoch):
    def end(number, logs=None):
        if number + 1 == epoch:
            raise Killed

    return load_keras().callbacks.LambdaCallback(on_epoch_end=end)


def counted(part):
    """The same rows, and the list of how often they were read."""
    reads = []

    def rows(positions):
        reads.append(len(positions))
        return part.rows(positions)

    return Labelled(rows, part.labels), reads


def epochs_in(state):
    return len(json.loads((state / checkpoint.HISTORY).read_text()))


PATIENT = {"patience": 2, "learning_rate": 0.3, "seconds_between_checkpoints": 1e-9}
MOST = 7


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    return {
        keep: fit(tmp_path_factory.mktemp("whole"), epochs=MOST, keep=keep, **PATIENT)
        for keep in ("best", "last")
    }


@pytest.mark.parametrize("epoch", range(1, MOST + 1))
def test_whatever_epoch_it_is_killed_at_the_result_is_the_same(tmp_path, uninterrupted, epoch):
    options = PATIENT | {"epochs": MOST}
    if epoch <= len(uninterrupted["best"].history):
        with pytest.raises(Killed):
            fit(tmp_path / "state", callbacks=(killed_after(epoch),), **options)
        assert epochs_in(checkpoint.newest(tmp_path / "state")) == epoch
    else:
        fit(tmp_path / "state", **options)
    for keep, whole in uninterrupted.items():
        resumed = fit(tmp_path / "state", keep=keep, **options)
        assert resumed.history == whole.history
        assert weights_of(resumed) == weights_of(whole)
        # One digest names the model, whether the head was ever loaded or not.
        configs = [digests.of_value(one.model.get_config()) for one in (resumed, whole)]
        assert configs[0] == configs[1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_keras_catches_stops_the_training(tmp_path, monkeypatch, number):
    def stop(batch, logs=None):
        if len(batches_done) == 4:
            # Keras reads the losses of a batch with this, and catches whatever it raises.
            monkeypatch.setattr(core, "convert_to_numpy", lambda _: signal.raise_signal(number))
        batches_done.append(batch)

    core = importlib.import_module("keras.src.backend")
    batches_done = []
    before = signal.signal(number, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            fit(
                tmp_path / "state",
                callbacks=(load_keras().callbacks.LambdaCallback(on_train_batch_begin=stop),),
            )
    finally:
        signal.signal(number, before)
    assert len(batches_done) == 5


def test_patience_ends_the_training_of_the_test_above_early(uninterrupted):
    assert 2 < len(uninterrupted["best"].history) < MOST


@pytest.mark.parametrize("options", [{}, {"epochs": 50, "patience": 2, "learning_rate": 0.1}])
def test_a_finished_training_is_saved_at_its_end_and_not_trained_again(tmp_path, options):
    first = fit(tmp_path / "state", seconds_between_checkpoints=1000.0, **options)
    train, reads = counted(labelled(60, 1))
    again = fit(tmp_path / "state", train=train, **options)
    assert reads == []
    assert again.history == first.history
    assert weights_of(again) == weights_of(first)


def test_the_last_epoch_is_saved_once(tmp_path, monkeypatch):
    saved = []
    save = checkpoint.save
    monkeypatch.setattr(checkpoint, "save", lambda *all: (saved.append(len(all[3])), save(*all)))
    fit(tmp_path / "state", epochs=3, seconds_between_checkpoints=1e-9)
    assert saved == [1, 2, 3]


def test_a_whole_state_is_there_at_every_moment_of_a_save(tmp_path, monkeypatch):
    state, rename, seen = tmp_path / "state", os.rename, []

    def watched_rename(old, new):
        seen.append(checkpoint.newest(state))
        rename(old, new)
        seen.append(checkpoint.newest(state))

    fit(state, epochs=1, seconds_between_checkpoints=1e-9)
    monkeypatch.setattr(os, "rename", watched_rename)
    fit(state, epochs=6, seconds_between_checkpoints=1e-9)
    assert len(seen) >= 10
    assert None not in seen


def test_two_states_take_turns_and_the_newer_whole_one_is_loaded(tmp_path, undisturbed):
    state = tmp_path / "state"
    whole = undisturbed
    fit(state, epochs=4, seconds_between_checkpoints=1e-9)
    assert sorted(path.name for path in state.iterdir()) == sorted(checkpoint.STATES)
    assert sorted(epochs_in(path) for path in state.iterdir()) == [3, 4]
    halve(checkpoint.newest(state) / checkpoint.MODEL)
    assert epochs_in(checkpoint.newest(state)) == 3
    resumed = fit(state)
    assert resumed.history == whole.history
    assert weights_of(resumed) == weights_of(whole)


@pytest.mark.parametrize("name", [checkpoint.MODEL, checkpoint.BEST, checkpoint.HISTORY])
def test_a_state_of_the_right_size_with_wrong_bytes_gives_way_to_the_one_before(
    tmp_path, name, undisturbed
):
    state = tmp_path / "state"
    fit(state, epochs=4, seconds_between_checkpoints=1e-9)
    damaged = checkpoint.newest(state) / name
    data = bytearray(damaged.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 100] = bytes(len(data[middle : middle + 100]))
    damaged.write_bytes(data)
    assert len(checkpoint.load(state)[2]) == 3
    assert fit(state).history == undisturbed.history


def halve(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def test_half_a_saved_state_counts_as_none(tmp_path):
    fit(tmp_path / "state", epochs=4, seconds_between_checkpoints=1e-9)
    for name in checkpoint.STATES:
        halve(tmp_path / "state" / name / checkpoint.MODEL)
    assert checkpoint.load(tmp_path / "state") is None
    assert len(fit(tmp_path / "state").history) == 6


def test_a_training_that_diverges_says_so_and_leaves_nothing(tmp_path):
    message = r"loss after epoch 1, found nan: lower training\.learning_rate \(now 1e\+20\)"
    with pytest.raises(TrainingDiverged, match=message) as caught:
        fit(
            tmp_path / "state",
            optimizer="sgd",
            learning_rate=1e20,
            seconds_between_checkpoints=1e-9,
        )
    assert isinstance(caught.value, DarkroomError)
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("found", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["loss", "val_loss"])
def test_a_loss_that_is_not_finite_is_not_saved_over_the_epochs_before(tmp_path, name, found):
    state, history = tmp_path / "state", []
    saver = checkpoint.checkpointing(state, 0.0, history, None, None, "train less")
    model = build_head(Head(), SHAPE, 2)
    model.compile(optimizer="adam", loss="binary_crossentropy")
    saver.set_model(model)
    saver.on_epoch_end(0, {"loss": 0.7, "val_loss": 0.6})
    with pytest.raises(TrainingDiverged, match=f"finite {name} after epoch 2, found {found}"):
        saver.on_epoch_end(1, {"loss": 0.7, "val_loss": 0.6} | {name: found})
    assert [row["epoch"] for row in history] == [1]
    assert [path.name for path in state.iterdir()] == [checkpoint.STATES[0]]
    assert epochs_in(checkpoint.newest(state)) == 1


def test_the_best_epoch_on_validation_is_kept(tmp_path):
    fitted = fit(tmp_path / "a", epochs=30, learning_rate=0.1)
    best = min(fitted.history, key=lambda row: row["val_loss"])
    assert best["epoch"] < 30
    held_out = labelled(30, 2)
    batch = batches.in_order(held_out, SHAPE, batch_size=30)
    fitted.model.compile(loss="binary_crossentropy")
    loss, *_ = np.atleast_1d(fitted.model.evaluate(batch, verbose=0))
    assert loss == pytest.approx(best["val_loss"], rel=1e-4)


def test_patience_stops_early_and_counts_epochs_before_a_kill(tmp_path):
    options = {"patience": 3, "learning_rate": 0.1}
    whole = fit(tmp_path / "whole", epochs=50, **options)
    assert len(whole.history) < 50
    assert checkpoint.epochs_since_best(whole.history) == 3
    stop = len(whole.history) - 2
    fit(tmp_path / "state", epochs=stop, seconds_between_checkpoints=1e-9, **options)
    assert fit(tmp_path / "state", epochs=50, **options).history == whole.history


def test_without_validation_pictures_the_training_loss_decides(tmp_path):
    empty = Labelled(lambda positions: np.zeros((0, 32)), np.zeros(0, np.int64))
    fitted = fit_model(
        lambda: build_head(Head(), SHAPE, 2), labelled(60, 1), empty,
        shape=SHAPE, training=schedule(epochs=3), seed=1, unfinished=tmp_path / "s",
    )  # fmt: skip
    assert "val_loss" not in fitted.history[0]
    assert fitted.loss == min(row["loss"] for row in fitted.history)


@pytest.mark.parametrize(
    ("pooling", "parameters"),
    [("flatten", 12800 * 256), ("average", 512 * 256), ("max", 512 * 256)],
)
def test_the_head_has_the_published_size(pooling, parameters):
    model = build_head(Head(pooling=pooling), (5, 5, 512), 2)
    assert model.count_params() == parameters + 256 + 256 + 1


@pytest.mark.parametrize("name", get_args(Activation))
def test_every_activation_is_one_of_keras(name):
    keras = load_keras()
    assert keras.activations.get(name) is getattr(keras.activations, name)
    build_head(Head(layers=(DenseLayer(units=2, activation=name),)), SHAPE, 2)


def test_an_activation_that_keras_does_not_know_is_refused_at_once():
    with pytest.raises(ValidationError, match="relu"):
        DenseLayer(units=2, activation="rellu")


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
    held, mapped = (
        taken(batches.shuffled(
            Labelled(batches.rows_of(table, limit), labels), SHAPE, batch_size=16, seed=5
        ), 3)
        for limit in (10**9, 0)
    )  # fmt: skip
    assert held == mapped
    assert sorted(number for _, chosen in mapped for number in chosen) == list(range(40))


def taken(dataset, count):
    return [
        (features.tolist(), labels.tolist())
        for features, labels in dataset.take(count).as_numpy_iterator()
    ]


def test_a_containers_limit_bounds_what_is_held_in_memory(tmp_path, monkeypatch):
    limit, used, details = (tmp_path / name for name in ("max", "current", "stat"))
    groups = ((limit, used, details), (tmp_path / "none", used, details))
    monkeypatch.setattr(batches, "CONTAINER_MEMORY", groups)
    machine = batches.memory_bytes()
    used.write_text("1000\n")
    limit.write_text("max\n")
    assert batches.memory_bytes() > machine / 2
    limit.write_text("5000\n")
    assert batches.memory_bytes() == 4000
    details.write_text("anon 300\ninactive_file 600\n")
    assert batches.memory_bytes() == 4600
    details.unlink()
    limit.write_text("900\n")
    assert batches.memory_bytes() == 0
    assert not batches.fits(1)


def test_each_pass_is_shuffled_anew_and_a_later_start_sees_the_same():
    data = labelled(50, 1)
    early = taken(batches.shuffled(data, SHAPE, batch_size=20, seed=2), 9)
    for first in (1, 3, 5):
        later = batches.shuffled(data, SHAPE, batch_size=20, seed=2, first_batch=first)
        assert taken(later, 3) == early[first : first + 3]
    assert early[:3] != early[3:6]
    for start in (0, 3, 6):
        labels = [label for _, some in early[start : start + 3] for label in some]
        assert sorted(labels) == sorted(data.labels.tolist())


def test_steps_per_epoch_go_on_where_the_epoch_before_stopped(tmp_path):
    data = labelled(60, 1)
    order = [labels for _, labels in taken(batches.shuffled(data, SHAPE, batch_size=8, seed=3), 15)]
    seen = []

    def note(batch, logs=None):
        seen.append(batch)

    train, reads = counted(data)
    watch = load_keras().callbacks.LambdaCallback(on_train_batch_end=note)
    whole = fit(tmp_path / "a", epochs=3, train=train, steps_per_epoch=5, callbacks=(watch,))
    assert seen == [0, 1, 2, 3, 4] * 3
    # One row is read to learn their type; a pass of 60 ends with a batch of 4, in the second epoch.
    assert reads[:17] == [1, *[8] * 7, 4, *[8] * 7, 4][:17]
    fit(tmp_path / "b", epochs=1, steps_per_epoch=5)
    resumed = fit(tmp_path / "b", epochs=3, steps_per_epoch=5)
    assert resumed.history == whole.history
    first_pass = [label for labels in order[:8] for label in labels]
    assert sorted(first_pass) == sorted(data.labels.tolist())


ROUNDED = {"rotation": 30, "width_shift": 0.3, "horizontal_flip": True}


def test_a_balanced_pass_has_as_many_of_every_class_and_leaves_none_of_them_out():
    labels = np.repeat([0, 1, 2], [70, 20, 7])
    data = batches.Labelled(lambda places: places[:, None].astype(np.float32), labels)
    found = taken(batches.shuffled(data, (1,), batch_size=97, seed=4, balanced=True), 12)
    found = [(np.array(features), np.array(drawn)) for features, drawn in found]
    for features, drawn in found:
        counts = np.bincount(drawn, minlength=3)
        assert counts.sum() == 97
        assert counts.max() - counts.min() <= 1
        places = features[:, 0].astype(int)
        assert (labels[places] == drawn).all()
        each = np.bincount(places, minlength=97)
        for number, size in enumerate((70, 20, 7)):
            of_class = each[labels == number]
            assert of_class.max() - of_class.min() <= 1, size
    # From one pass to the next it is others of the largest class.
    passes = [set(features[drawn == 0, 0].tolist()) for features, drawn in found]
    assert len(set().union(*passes)) == 70
    again = taken(
        batches.shuffled(data, (1,), batch_size=97, seed=4, first_batch=3, balanced=True), 1
    )
    assert (np.array(again[0][0]) == found[3][0]).all()


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "sgd", "momentum": 0.9},
        {"optimizer": "sgd", "decay": 0.05},
        {"cosine": True},
        {"label_smoothing": 0.1},
        {"sampling": "balanced"},
        {"augmentation": Augmentation(**ROUNDED)},
    ],
)
def test_schedules_and_changes_take_effect_and_are_resumed(tmp_path, options):
    plain = {name: options[name] for name in ("optimizer",) if name in options}
    whole = fit(tmp_path / "whole", **options)
    assert whole.history != fit(tmp_path / "plain", **plain).history
    with pytest.raises(Killed):
        fit(
            tmp_path / "state",
            callbacks=(killed_after(3),),
            seconds_between_checkpoints=1e-9,
            **options,
        )
    resumed = fit(tmp_path / "state", **options)
    assert resumed.history == whole.history
    assert weights_of(resumed) == weights_of(whole)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, lambda step: 0.01),
        ({"decay": 0.05}, lambda step: 0.01 / (1 + 0.05 * step)),
        # 60 pictures in batches of 8, over three epochs.
        ({"cosine": True}, lambda step: 0.005 * (1 + np.cos(np.pi * step / 24))),
    ],
)
def test_the_learning_rate_falls_as_its_formula_says(tmp_path, options, expected):
    rates = []

    def note(batch, logs=None):
        rates.append(float(watch.model.optimizer.learning_rate))

    watch = load_keras().callbacks.LambdaCallback(on_train_batch_begin=note)
    fit(tmp_path, epochs=3, callbacks=(watch,), **options)
    assert rates == pytest.approx([expected(step) for step in range(24)], rel=1e-4)


def test_changes_are_drawn_anew_in_every_pass():
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (4, 12 * 12 * 3), dtype=np.uint8)
    data = Labelled(lambda positions: pixels[positions], np.arange(4))
    changed = batches.shuffled(
        data, (12, 12, 3), batch_size=4, seed=1, augmentation=Augmentation(**ROUNDED)
    )
    first, second = (
        dict(zip(labels, features, strict=True)) for features, labels in taken(changed, 2)
    )
    assert first.keys() == second.keys()
    assert all(first[label] != second[label] for label in first)


def test_dropout_draws_anew_in_every_epoch(tmp_path):
    states = []

    def note(batch, logs=None):
        variables = watch.model.variables
        states.append([np.asarray(v).tolist() for v in variables if v.path.endswith(STATE)])

    watch = load_keras().callbacks.LambdaCallback(on_train_batch_begin=note)
    fit(tmp_path, epochs=3, steps_per_epoch=1, callbacks=(watch,))
    assert len(states[0]) == 1
    assert states[0] != states[1] != states[2] != states[0]


@pytest.mark.parametrize("classes", [2, 3])
def test_smoothed_labels_keep_the_model_from_certainty_and_accuracy_counts_true_ones(
    tmp_path, classes
):
    """The least loss is the entropy of the smoothed label, its probability the largest."""
    labels = np.arange(60) % classes
    values = np.eye(32, dtype=np.float16)[labels] * 4
    data = Labelled(lambda positions: values[positions], labels)

    def fitted(smoothing):
        return fit_model(
            lambda: build_head(Head(), SHAPE, classes),
            data, data,
            shape=SHAPE, training=schedule(40, label_smoothing=smoothing), seed=1,
            unfinished=tmp_path / str(smoothing),
        )  # fmt: skip

    certain, smoothed = fitted(0.0), fitted(0.3)
    probabilities = smoothed.model.predict(values.reshape(-1, *SHAPE), verbose=0)
    # 0.3 is shared out among all classes; a sigmoid's two are 0.15 and 0.85.
    assert probabilities.max() == pytest.approx(1 - 0.3 + 0.3 / classes, abs=0.05)
    entropy = -sum(
        share * np.log(share) for share in [0.7 + 0.3 / classes] + [0.3 / classes] * (classes - 1)
    )
    assert smoothed.history[-1]["val_loss"] == pytest.approx(entropy, abs=0.05)
    assert certain.history[-1]["val_loss"] < entropy / 2
    assert smoothed.history[-1]["accuracy"] == smoothed.history[-1]["val_accuracy"] == 1


def test_no_thread_of_tensorflow_chooses_how_far_ahead_batches_are_made():
    """The end of an iterator would wait for its sleep, at every epoch's validation."""
    augmentation = Augmentation(rotation=10)
    pictures = np.zeros((8, 32, 32, 3), np.uint8)
    data = Labelled(lambda positions: pictures[positions], np.zeros(8, np.int64))
    for dataset in (
        batches.in_order(data, (32, 32, 3), batch_size=4),
        batches.shuffled(data, (32, 32, 3), batch_size=4, seed=1, augmentation=augmentation),
    ):
        assert dataset.options().autotune.enabled is False


def test_the_loss_that_decides_is_that_of_the_weights_kept(tmp_path):
    options = {"epochs": 30, "learning_rate": 0.1}
    best, last = (fit(tmp_path / keep, keep=keep, **options) for keep in ("best", "last"))
    losses = [row["val_loss"] for row in last.history]
    assert best.loss == min(losses) < losses[-1] == last.loss


def test_every_pass_draws_a_view_of_each_picture():
    """Row v * n + i is view v of picture i: its label must stay its own."""
    count, views = 30, 4
    values = np.repeat(np.arange(count * views, dtype=np.float16)[:, None], 32, axis=1)
    data = Labelled(lambda positions: values[positions], np.arange(count), views=views)
    seen = set()
    for features, labels in taken(batches.shuffled(data, SHAPE, batch_size=10, seed=1), 30):
        rows = np.array(features)[:, 0, 0, 0].astype(int)
        assert (rows % count).tolist() == labels
        seen.update(rows.tolist())
    assert len(seen) > 0.8 * count * views


def test_validation_takes_every_picture_once_in_its_first_view():
    data = labelled(50, 1)
    doubled = Labelled(data.rows, data.labels, views=2)
    dataset = batches.in_order(doubled, SHAPE, batch_size=20)
    labels = [label for _, some in taken(dataset, 9) for label in some]
    assert labels == data.labels.tolist()
    assert len(dataset) == 3


def test_the_whole_model_gives_two_columns_and_takes_any_size():
    from tasks.train.model_folder.export import whole_model

    keras = load_keras()
    given = keras.Input((32, 32, 3))
    backbone = keras.Model(given, keras.layers.AveragePooling2D(16)(given))
    head = build_head(Head(), (2, 2, 3), 2)
    model = whole_model(backbone, head, Square(32))
    for size in ((20, 50), (32, 32)):
        out = np.asarray(model(np.ones((2, *size, 3), np.float32)))
        assert out.shape == (2, 2)
        assert out.sum(axis=1) == pytest.approx(1, abs=1e-6)
