"""Maps pooled before training: not one weight is another, and maps are read once."""

import numpy as np
import pytest

from storage.features import FeatureSpace
from tasks.running.tensorflow import load_keras
from tasks.train import parts, pooling
from tasks.train.batches import Labelled
from tasks.train.parameters import DenseLayer, Frozen, Head, Training
from tasks.train.parts import PARTS, Materials
from tasks.train.training import Place

SHAPE = (3, 3, 8)
TRAINING = Training(epochs=4, batch_size=5, repeats=2)


class Counted:
    """Rows of maps, and how often they were asked for."""

    def __init__(self, count):
        self.values = np.random.default_rng(7).normal(size=(count, 72)).astype(np.float16)
        self.asked = 0

    def __call__(self, positions):
        self.asked += len(positions)
        return self.values[positions]


def trained(head, tmp_path, classes=3, views=1):
    """The parts that are kept of two seeds, and how many rows of maps were read."""
    rows = Counted(23 * views)
    labels = np.arange(23) % classes
    data = Labelled(rows, labels, views), Labelled(Counted(9), labels[:9])
    space = FeatureSpace(
        backbone="x", weights="", layer="last", image_size=4, resizing="",
        preprocessing="rescale", precision="float32", shape=SHAPE,
    )  # fmt: skip
    made_of = Materials(space, None, classes, *data, TRAINING)
    place = Place(unfinished=tmp_path, logs=None, show=lambda _: None)
    fitted = PARTS[Frozen].train(Frozen(head=head), made_of, place)
    return [one.model for one in fitted], rows.asked


HEAD = Head(layers=(DenseLayer(units=6, dropout=0.5), DenseLayer(units=4, activation="tanh")))


@pytest.mark.parametrize("kind", ["average", "max"])
@pytest.mark.parametrize(("classes", "views"), [(2, 1), (3, 1), (3, 4)])
def test_every_weight_is_the_same(kind, classes, views, tmp_path, monkeypatch):
    head = HEAD.model_copy(update={"pooling": kind})
    ours, read = trained(head, tmp_path / "ours", classes, views)
    monkeypatch.setattr(parts, "is_pooled", lambda *_: False)
    theirs, read_before = trained(head, tmp_path / "theirs", classes, views)
    assert (read, read_before > 23 * TRAINING.epochs) == (23 * views, True)
    for one, other in zip(ours, theirs, strict=True):
        assert one.input_shape == other.input_shape == (None, *SHAPE)
        assert [layer.name for layer in one.layers] == [layer.name for layer in other.layers]
        for mine, yours in zip(one.get_weights(), other.get_weights(), strict=True):
            assert np.array_equal(mine, yours)


def test_what_does_not_fit_in_memory_is_pooled_in_every_epoch(tmp_path, monkeypatch):
    monkeypatch.setattr(pooling.batches, "memory_bytes", lambda: 1000)
    _, read = trained(HEAD, tmp_path)
    assert read > 23 * TRAINING.epochs


@pytest.mark.parametrize(
    ("head", "shape"), [(HEAD.model_copy(update={"pooling": "flatten"}), SHAPE), (HEAD, (72,))]
)
def test_what_has_no_places_or_keeps_them_is_not_pooled(head, shape):
    assert not pooling.is_pooled(head, shape)
    assert pooling.is_pooled(HEAD, SHAPE)


def test_a_pooled_row_is_what_keras_pools():
    rows = Counted(300)
    seen = pooling.pooled_rows(Labelled(rows, np.zeros(300, int)), SHAPE, "average")
    maps = rows.values.astype(np.float32).reshape(-1, *SHAPE)
    theirs = np.asarray(load_keras().layers.GlobalAveragePooling2D()(maps))
    assert np.array_equal(seen.rows(np.arange(300)), theirs)
