"""Shards of features: computed once, lost at most one at a time."""

import json
import threading

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from storage.errors import StorageDamaged, StorageFull
from storage.features import FeatureSpace, FeatureStore, FeatureTable
from storage.shards import NAME, ShardStore
from storage.wholeness import is_whole
from storage.workspace import Workspace
from tests.project import examples
from tests.storage.conftest import everything_in

SHAPE = (2, 3, 4)


def space(**changes):
    fields = {
        "backbone": "VGG16",
        "weights": "abc",
        "layer": "block5_pool",
        "image_size": 150,
        "resizing": "area",
        "preprocessing": "imagenet",
        "precision": "float32",
        "shape": SHAPE,
    }
    return FeatureSpace(**fields | changes)


def values(count, seed=0, shape=SHAPE):
    return np.random.default_rng(seed).standard_normal((count, *shape)).astype(np.float16)


def names(count, first=0):
    return [f"{number:064x}.jpg" for number in range(first, first + count)]


@pytest.fixture
def store(workspace):
    return FeatureStore(workspace, space())


@pytest.fixture
def filled(store):
    """Three shards of four images each, and their paths."""
    return [store.add(names(4, 4 * part), values(4, part)) for part in range(3)]


def read(store, images):
    table = FeatureTable.of(store.workspace, store.reference(images), images)
    return table.rows(np.arange(len(images)))


def test_features_come_back_as_float16(store):
    store.add(names(5), values(5).astype(np.float32))
    found = read(store, names(5))
    assert found.dtype == np.float16
    np.testing.assert_array_equal(found, values(5).reshape(5, -1))


@examples(40)
@given(
    sizes=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    order=st.randoms(use_true_random=False),
)
def test_any_sharding_gives_back_any_order(tmp_path_factory, sizes, order):
    store = FeatureStore(Workspace(tmp_path_factory.mktemp("features")), space())
    first, total = 0, sum(sizes)
    for size in sizes:
        store.add(names(size, first), values(total)[first : first + size])
        first += size
    positions = list(range(total))
    order.shuffle(positions)
    found = read(store, [names(total)[position] for position in positions])
    np.testing.assert_array_equal(found, values(total).reshape(total, -1)[positions])


@examples(30)
@given(
    bits=st.lists(
        st.lists(st.integers(0, 2**16 - 1), min_size=3, max_size=3), min_size=1, max_size=5
    )
)
def test_every_float16_survives(tmp_path_factory, bits):
    array = np.array(bits, np.uint16).view(np.float16)
    store = FeatureStore(Workspace(tmp_path_factory.mktemp("floats")), space(shape=(3,)))
    store.add(names(len(array)), array)
    np.testing.assert_array_equal(read(store, names(len(array))), array)


def test_part_of_the_images_can_be_read_any_number_of_times(store, filled):
    table = FeatureTable.of(store.workspace, store.reference(names(12)), names(12)[3:9])
    assert table.bytes == 6 * 24 * 2
    found = table.rows(np.array([5, 0, 0]))
    np.testing.assert_array_equal(found[1], values(4, 0).reshape(4, -1)[3])
    np.testing.assert_array_equal(found[1], found[2])
    np.testing.assert_array_equal(found[0], values(4, 2).reshape(4, -1)[0])


def test_only_unknown_images_are_missing_each_once_and_in_order(store, filled):
    assert store.missing(names(12)) == []
    assert store.missing(["new", *names(2), "other", "new"]) == ["new", "other"]


def test_everything_is_missing_from_an_empty_store(store):
    assert store.missing(names(3)) == names(3)


def test_a_deleted_shard_loses_exactly_its_images(store, filled):
    filled[1].unlink()
    assert store.missing(names(12)) == names(4, 4)


@pytest.mark.parametrize("keep", [0.0, 0.01, 0.5, 0.9, 0.999])
def test_a_truncated_shard_is_as_good_as_absent(store, filled, keep):
    data = filled[1].read_bytes()
    filled[1].write_bytes(data[: int(len(data) * keep)])
    assert store.missing(names(12)) == names(4, 4)


def test_a_lost_shard_heals_by_adding_its_images_again(store, filled):
    reference = store.reference(names(12))
    filled[1].write_bytes(b"")
    store.add(names(4, 4), values(4, 1))
    assert store.missing(names(12)) == []
    assert store.reference(names(12)) == reference


def test_unfinished_shards_are_not_seen(store, filled):
    (store.folder / ".partial-abc.arrow").write_bytes(filled[0].read_bytes())
    assert store.shards.paths() == sorted(filled)


def shard_bytes():
    sink = pa.BufferOutputStream()
    table = pa.table({NAME: names(3), "features": pa.array([[1.0], [2.0], [3.0]])})
    with pa.ipc.new_file(sink, table.schema) as out:
        out.write_table(table)
    return sink.getvalue().to_pybytes()


WHOLE = shard_bytes()


@examples(300)
@given(place=st.integers(0, len(WHOLE) - 1), flip=st.integers(1, 255), cut=st.booleans())
@example(place=764, flip=4, cut=False)  # the footer lists no batch
def test_no_damage_of_a_shard_is_more_than_an_absent_shard(tmp_path_factory, place, flip, cut):
    store = ShardStore(tmp_path_factory.mktemp("shards"))
    data = bytearray(WHOLE)
    data[place] ^= flip
    path = store.folder / "damaged.arrow"
    path.write_bytes(data[:place] if cut else data)
    index = store.index()
    assert len(index) <= 3
    assert not store.verified(path)


def test_a_whole_shard_is_verified(store, filled):
    assert all(map(store.shards.verified, filled))


def test_the_digest_does_not_depend_on_the_shards(workspace, tmp_path):
    many = FeatureStore(workspace, space())
    one = FeatureStore(Workspace(tmp_path / "other"), space())
    for part in range(3):
        many.add(names(4, 4 * part), values(4, part))
    one.add(names(12), np.concatenate([values(4, part) for part in range(3)]))
    first, second = many.reference(names(12)), one.reference(names(12))
    assert first.digest == second.digest
    assert first.where == second.where


def test_the_digest_depends_on_the_images_their_order_and_the_space(store, workspace, filled):
    other = FeatureStore(workspace, space(precision="bfloat16"))
    other.add(names(12), values(12))
    digests = {
        store.reference(names(12)).digest,
        store.reference(names(11)).digest,
        store.reference(names(12)[::-1]).digest,
        other.reference(names(12)).digest,
    }
    assert len(digests) == 4


def test_a_reference_names_only_the_shards_it_needs(store, filled):
    reference = store.reference(names(4))
    content = json.loads((store.workspace.path(reference)).read_bytes())
    assert content["shards"] == {filled[0].name: filled[0].stat().st_size}


def test_a_reference_to_unknown_images_is_storage_damaged(store, filled):
    with pytest.raises(StorageDamaged, match=r"features of 13 images .* 1 are missing: run again"):
        store.reference([*names(12), "new"])


@pytest.mark.parametrize(
    "change",
    [
        {"backbone": "VGG19"},
        {"weights": "abd"},
        {"layer": "block4_pool"},
        {"image_size": 151},
        {"resizing": "linear"},
        {"preprocessing": "rescale"},
        {"precision": "bfloat16"},
        {"shape": (24,)},
    ],
)
def test_whatever_fixes_a_value_makes_another_space(change):
    assert space(**change).name != space().name


def test_a_space_is_written_down_beside_its_shards_and_again_when_it_is_lost(store, filled):
    for _ in range(2):
        reference = store.reference(names(2))
        assert FeatureSpace.load(store.workspace, reference) == space()
        assert is_whole(store.workspace, reference)
        (store.folder / "space.json").unlink()
        assert not is_whole(store.workspace, reference)
    store.reference(names(2))
    assert FeatureSpace.model_validate_json((store.folder / "space.json").read_bytes()) == space()


def test_spaces_share_nothing(store, workspace, filled):
    assert FeatureStore(workspace, space(image_size=64)).missing(names(2)) == names(2)


def test_writers_of_the_same_images_do_not_disturb_each_other(store):
    start = threading.Barrier(8)
    failures = []

    def add(seed):
        start.wait()
        try:
            for _ in range(10):
                store.add(names(50), values(50, seed))
        except OSError as error:
            failures.append(error)

    writers = [threading.Thread(target=add, args=(seed,)) for seed in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failures == []
    assert all(map(store.shards.verified, store.shards.paths()))
    assert not [path for path in everything_in(store.folder) if ".partial" in path]


def test_a_shard_damaged_after_it_was_indexed_is_storage_damaged(store, filled):
    table = FeatureTable.of(store.workspace, store.reference(names(12)), names(12))
    table.rows(np.array([0]))
    filled[2].write_bytes(b"")
    with pytest.raises(StorageDamaged, match="run again"):
        table.rows(np.array([11]))


def test_shards_that_vanish_before_they_are_read_are_storage_damaged(store, filled):
    table = FeatureTable.of(store.workspace, store.reference(names(12)), names(12))
    filled[0].unlink()
    with pytest.raises(StorageDamaged, match="run again"):
        table.rows(np.array([0]))


def test_a_full_disk_costs_only_the_shard_being_written(small_disk):
    store = FeatureStore(Workspace(small_disk), space())
    store.add(names(4), values(4))
    with pytest.raises(StorageFull):
        store.add(names(50_000, 4), values(50_000))
    assert store.missing(names(6)) == names(2, 4)
    assert not [path for path in everything_in(small_disk) if ".partial" in path]
