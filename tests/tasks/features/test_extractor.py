"""Extraction: every picture once, in shards, whatever order and batch."""

import numpy as np
import pytest

from storage.features import FeatureSpace, FeatureStore
from tasks.features import extractor, network
from tasks.features.prepared import Prepared
from tasks.running.progress import silent
from tasks.running.tensorflow import load_keras

SPACE = FeatureSpace(
    backbone="sum", weights="", layer="last", image_size=4, resizing="", preprocessing="rescale",
    precision="float32", shape=(3,),
)  # fmt: skip


@pytest.fixture(scope="module")
def compute():
    """Sums of each channel: a backbone whose features can be said beforehand."""
    keras = load_keras()
    given = keras.Input((4, 4, 3))
    compute = network.compiled(keras.Model(given, keras.ops.sum(given, axis=(1, 2))))
    return Prepared(SPACE, batch=compute)


def extract(compute, store, names, **options):
    loaded = []

    def load(name):
        loaded.append(name)
        return np.full((4, 4, 3), int(name), np.float32)

    done = extractor.extract(
        names, load, compute, store, **{"batch_size": 7, "workers": 2, "advance": silent} | options
    )
    return done, loaded


def test_every_picture_is_loaded_once_and_lands_in_shards_in_order(compute, workspace, monkeypatch):
    monkeypatch.setattr(extractor, "PICTURES_PER_SHARD", 20)
    store = FeatureStore(workspace, SPACE)
    names = [str(number) for number in range(50)]
    done, loaded = extract(compute, store, names)
    assert done == 50
    assert sorted(loaded, key=int) == names
    sizes = sorted(store.shards.open(path).num_rows for path in store.shards.paths())
    assert sizes == [8, 21, 21]
    assert store.missing(names) == []


def test_features_are_those_of_the_picture(compute, workspace):
    from storage.features import FeatureTable

    store = FeatureStore(workspace, SPACE)
    names = ["5", "1", "9"]
    extract(compute, store, names)
    table = FeatureTable.of(workspace, store.reference(names), names)
    assert table.rows(np.arange(3)).tolist() == [[80] * 3, [16] * 3, [144] * 3]


def test_nothing_to_do_is_done_at_once(compute, workspace):
    assert extract(compute, FeatureStore(workspace, SPACE), []) == (0, [])


def test_few_pictures_are_held_at_a_time(compute, workspace):
    """Decoding runs ahead by a bounded number of batches."""
    seen = []

    def load(name):
        seen.append(int(name))
        return np.zeros((4, 4, 3), np.float32)

    batches = extractor._batches([str(n) for n in range(500)], load, 10, 2)
    next(batches)
    ahead = (extractor.BATCHES_AHEAD + 1) * 10
    assert max(seen) < ahead
    batches.close()


def test_a_picture_that_fails_to_load_keeps_the_shards_before_it(compute, workspace, monkeypatch):
    monkeypatch.setattr(extractor, "PICTURES_PER_SHARD", 10)
    store = FeatureStore(workspace, SPACE)

    def load(name):
        if name == "35":
            raise OSError("disk error")
        return np.zeros((4, 4, 3), np.float32)

    names = [str(number) for number in range(50)]
    with pytest.raises(OSError, match="disk error"):
        extractor.extract(names, load, compute, store, batch_size=10, workers=1, advance=silent)
    assert store.missing(names) == names[30:]
