"""Tables that mean harm, or were made by accident: one clear error or a row with a reason."""

import io
import json
import tracemalloc
import zipfile

import pandas as pd
import pytest

from storage.errors import MissingLibrary, SourceDamaged, SourceError, SourceTooLarge
from tasks.acquire.layout.matching import Names
from tasks.acquire.parameters import Archive, Folders
from tasks.acquire.tables import delimited, files, parquet_rows, reading, table, workbooks
from tests.tasks.acquire.conftest import zip_bytes
from tests.tasks.acquire.layout.conftest import by_name, csv_of, labels_of, pictures, written

NAMES = [f"{i:03}.jpg" for i in range(6)]
PAIRS = [(name, "ab"[i % 2]) for i, name in enumerate(NAMES)]


@pytest.fixture
def with_table(tmp_path, taken):
    """What is collected from six pictures and a table of these bytes, named as the table."""

    def take(data, name="labels.csv", **options):
        folder = written(tmp_path / "set", pictures(NAMES) | {name: data})
        return taken(Folders(folder=folder, label_csv=name, **options))

    return take


def test_rows_are_read_as_a_stream(monkeypatch):
    def endless():
        for number in range(200_000):
            yield f"{number:06}.jpg,cat\n".encode()

    data = b"".join(endless())
    file = files.TableFile("labels.csv", len(data), held=io.BytesIO(data))
    names = Names(["000001.jpg", "199999.jpg"])
    tracemalloc.start()
    found = sum(1 for row in delimited.read(file).rows() if names.find(row[0], numbers=False))
    assert found == 2
    assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'image,label\n000.jpg,"' + b"x" * 300_000, "quotation mark that is never closed"),
        (b"image,label\n000.jpg," + b"x" * 300_000 + b"\n", "a cell of more than"),
        (b"image,label\n" + b"x" * (delimited.LONGEST_LINE + 10), "a line of more than"),
        (",".join(f"c{i}" for i in range(10_000)).encode() + b"\n" + b"1," * 9999, "columns"),
    ],
)
def test_what_is_too_large_is_refused(with_table, data, message):
    with pytest.raises(SourceTooLarge, match=message):
        with_table(data)


def test_a_table_of_endless_length_is_refused_and_not_read(tmp_path, taken):
    folder = written(tmp_path / "set", pictures(NAMES))
    with (folder / "labels.csv").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(SourceTooLarge, match=r"labels\.csv has 1,099,511,627,776 bytes"):
        taken(Folders(folder=folder, label_csv="labels.csv"))


def test_nul_bytes_and_ragged_rows_cost_only_their_rows(with_table):
    data = csv_of([("image", "label"), *PAIRS[:4]]) + b"004.jpg\n\0\0\0\n005.jpg,b,more,more\n,,\n"
    found = with_table(data)
    assert by_name(found.table) == dict([*PAIRS[:4], PAIRS[5]])


def test_formulas_are_text(with_table):
    rows = [(name, '=HYPERLINK("http://x")' if i % 2 else "b") for i, name in enumerate(NAMES)]
    found = with_table(csv_of([("image", "label"), *rows]))
    assert labels_of(found.table) == {('=HYPERLINK("http://x")', ""): 3, ("b", ""): 3}


def test_a_workbook_that_unpacks_to_too_much_is_refused(with_table):
    data = zip_bytes({"xl/worksheets/sheet1.xml": b"0" * (workbooks.MOST_UNPACKED + 1)})
    assert len(data) < 2**20
    with pytest.raises(SourceTooLarge, match=r"labels\.xlsx unpacks to"):
        with_table(data, "labels.xlsx")


@pytest.mark.parametrize("name", ["labels.xlsx", "labels.parquet", "labels.json", "labels.jsonl"])
@pytest.mark.parametrize(
    "data", [b"", b"x" * 100, b"PK\x03\x04" + b"\0" * 90, b"PAR1xxxxPAR1", b"[["]
)
def test_a_damaged_file_is_one_error(with_table, name, data):
    with pytest.raises(SourceError):
        with_table(data, name)


def test_a_workbook_without_its_library_says_what_to_install(with_table, monkeypatch):
    monkeypatch.setattr(workbooks.importlib.util, "find_spec", lambda name: None)
    buffer = io.BytesIO()
    pd.DataFrame(PAIRS).to_excel(buffer, index=False)
    with pytest.raises(MissingLibrary, match=r"pip install 'darkroom\[excel\]'"):
        with_table(buffer.getvalue(), "labels.xlsx")


def test_entities_in_a_workbook_are_not_expanded(with_table):
    buffer = io.BytesIO()
    pd.DataFrame(PAIRS, columns=["image", "label"]).to_excel(buffer, index=False)
    bomb = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa">' + b"".join(
        b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(9)
    ) + b"]><worksheet>&j;</worksheet>"  # fmt: skip
    changed = io.BytesIO()
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(changed, "w") as new:
        for entry in old.infolist():
            data = bomb if "sheet1.xml" in entry.filename else old.read(entry)
            new.writestr(entry.filename, data)
    with pytest.raises(SourceError):
        with_table(changed.getvalue(), "labels.xlsx")


def test_parquet_that_unpacks_to_too_much_is_refused(with_table, monkeypatch):
    monkeypatch.setattr(parquet_rows, "MOST_UNPACKED", 10)
    buffer = io.BytesIO()
    pd.DataFrame({"image": NAMES * 100, "label": "x" * 100}).to_parquet(buffer)
    with pytest.raises(SourceTooLarge, match="unpacks to more than 10 bytes"):
        with_table(buffer.getvalue(), "labels.parquet")


def test_deep_json_is_one_error(with_table):
    with pytest.raises(SourceError):
        with_table(b"[" * 100_000, "labels.json")
    with pytest.raises(SourceDamaged, match="one JSON object a line"):
        with_table(b"[1]\n", "labels.jsonl")


def test_json_of_another_kind_is_no_table(with_table):
    with pytest.raises(SourceError, match="it is no table"):
        with_table(json.dumps({"images": [1, 2], "info": {}}).encode(), "labels.json")


def test_too_many_columns_of_any_form_are_refused(with_table):
    wide = {f"c{i}": 1 for i in range(table.MOST_COLUMNS + 1)}
    for name, data in (("t.json", json.dumps([wide])), ("t.jsonl", json.dumps(wide))):
        with pytest.raises(SourceTooLarge, match="columns"):
            with_table(data.encode(), name)


@pytest.mark.parametrize("size", [0, 1, 7])
def test_an_unknown_suffix_is_read_as_text(size):
    data = b"a.jpg,b\n" * size
    file = files.TableFile("names.lst", len(data), held=io.BytesIO(data))
    assert len(list(reading.read(file).rows())) == size


def test_a_table_in_an_archive_counts_against_its_limit(tmp_path, taken):
    data = zip_bytes(pictures(NAMES) | {"labels.csv": csv_of(PAIRS) + b" " * 100_000})
    (tmp_path / "set.zip").write_bytes(data)
    with pytest.raises(SourceTooLarge, match=r"source\.max_total_bytes"):
        taken(Archive(archive=tmp_path / "set.zip", max_total_bytes=50_000))


def test_a_group_of_all_pictures_is_told(tmp_path):
    from tasks.clean import small_classes
    from tasks.clean.parameters import Clean, Needed
    from tests.tasks.clean.test_small_classes import kept

    everything = kept(*"aaabbb", groups=["x"] * 6)
    _, (remark,) = small_classes.set_aside(everything, Clean(), Needed(pictures=3), given=False)
    assert "class 'a' has 1 different pictures, the split needs 3" in remark


@pytest.mark.parametrize(
    ("merge", "message"),
    [
        ({"a": ["b"], "b": ["a"]}, "has 'a' both as a new class"),
        ({"a": ["b"], "c": ["b"]}, "gives 'b' to two classes"),
    ],
)
def test_merge_in_a_circle_is_refused(merge, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        Folders(folder=tmp_path, merge=merge)
