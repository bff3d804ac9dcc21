"""Tables named by what they hold."""

import contextlib

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import manifests
from storage.errors import StorageDamaged, StorageFull
from tests.project import examples
from tests.storage.conftest import everything_in

rows = st.lists(st.tuples(st.text(), st.integers(-(2**53), 2**53), st.booleans()), max_size=8)


def table_of(values):
    return pd.DataFrame(values, columns=["name", "bytes", "kept"]).astype(
        {"name": "str", "bytes": "int64", "kept": "bool"}
    )


@examples(60)
@given(values=rows)
def test_a_table_comes_back_with_the_same_digest(tmp_path_factory, values):
    table = table_of(values)
    digest, path = manifests.save(tmp_path_factory.mktemp("manifests"), table)
    loaded = manifests.load(path)
    pd.testing.assert_frame_equal(loaded, table)
    assert manifests.content_digest(loaded) == digest == path.stem


def test_missing_values_do_not_change_the_digest_on_the_way(tmp_path):
    table = pd.DataFrame(
        {"share": [0.5, float("nan")], "text": pd.Series(["a", None], dtype="str")}
    )
    digest, path = manifests.save(tmp_path, table)
    assert manifests.content_digest(manifests.load(path)) == digest


@examples(60)
@given(first=rows, second=rows)
def test_different_rows_have_different_digests(first, second):
    same = manifests.content_digest(table_of(first)) == manifests.content_digest(table_of(second))
    assert same == (first == second)


@examples(30)
@given(values=rows)
def test_the_index_does_not_count(values):
    table = table_of(values)
    moved = table.set_index(pd.Index(range(5, 5 + len(table))))
    assert manifests.content_digest(table) == manifests.content_digest(moved)


def test_order_and_column_names_count():
    table = table_of([("a", 1, True), ("b", 2, True)])
    digests = {
        manifests.content_digest(table),
        manifests.content_digest(table.iloc[::-1]),
        manifests.content_digest(table.rename(columns={"name": "image"})),
        manifests.content_digest(table[["bytes", "name", "kept"]]),
    }
    assert len(digests) == 4


def test_a_stored_table_is_not_written_again(tmp_path):
    table = table_of([("a", 1, True)])
    _, path = manifests.save(tmp_path, table)
    before = path.stat()
    manifests.save(tmp_path, table)
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert path.stat().st_ino == before.st_ino


def test_a_truncated_table_is_written_again(tmp_path):
    table = table_of([("a", 1, True)])
    _, path = manifests.save(tmp_path, table)
    path.write_bytes(path.read_bytes()[:-1])
    assert not manifests.is_parquet(path)
    manifests.save(tmp_path, table)
    pd.testing.assert_frame_equal(manifests.load(path), table)


def test_a_table_damaged_between_its_marks_is_written_again(tmp_path):
    table = table_of([("a", 1, True)])
    _, path = manifests.save(tmp_path, table)
    whole = path.read_bytes()
    path.write_bytes(whole[:4] + b"x" * (len(whole) - 8) + whole[-4:])
    assert manifests.is_parquet(path, len(whole))
    assert not manifests.is_whole(path)
    manifests.save(tmp_path, table)
    pd.testing.assert_frame_equal(manifests.load(path), table)


def test_another_table_under_the_name_is_replaced(tmp_path):
    table = table_of([("a", 1, True)])
    _, path = manifests.save(tmp_path, table)
    table_of([("b", 1, True)]).to_parquet(path, index=False)
    assert not manifests.is_whole(path)
    manifests.save(tmp_path, table)
    assert manifests.is_whole(path)


def test_whatever_byte_changes_a_table_is_read_or_storage_damaged(tmp_path):
    _, path = manifests.save(tmp_path, table_of([("a", 1, True), ("b", 2, False)]))
    whole = path.read_bytes()
    seen_as_whole = []
    for place in range(0, len(whole), 5):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with contextlib.suppress(StorageDamaged):
            manifests.load(path)
        seen_as_whole.append(manifests.is_whole(path))
    # Some bytes of a Parquet file say nothing about its rows.
    assert set(seen_as_whole) == {True, False}


@pytest.mark.parametrize("data", [b"", b"PAR", b"PAR1", b"not a table", b"PAR1 nothing PAR1"])
def test_a_damaged_table_is_storage_damaged(tmp_path, data):
    path = tmp_path / "table.parquet"
    path.write_bytes(data)
    with pytest.raises(StorageDamaged, match="expected a table at"):
        manifests.load(path)


def test_a_missing_table_is_storage_damaged(tmp_path):
    with pytest.raises(StorageDamaged, match="run again, or `darkroom cache verify --repair`"):
        manifests.load(tmp_path / "none.parquet")
    assert not manifests.is_parquet(tmp_path / "none.parquet")


@pytest.mark.parametrize("data", [b"", b"PAR", b"PAR1", b"PAR1PAR", b"PAR1 xx PAR2"])
def test_what_lacks_a_mark_is_no_table(tmp_path, data):
    path = tmp_path / "table.parquet"
    path.write_bytes(data)
    assert not manifests.is_parquet(path)


def test_a_table_of_another_size_is_not_the_one_meant(tmp_path):
    _, path = manifests.save(tmp_path, table_of([("a", 1, True)]))
    size = path.stat().st_size
    assert manifests.is_parquet(path, size)
    assert not manifests.is_parquet(path, size + 1)


def test_a_full_disk_is_storage_full_and_leaves_nothing(small_disk):
    table = pd.DataFrame({"number": range(200_000)}).sample(frac=1, random_state=1)
    with pytest.raises(StorageFull):
        manifests.save(small_disk, table)
    assert everything_in(small_disk) == []
