"""Predictions as CSV and Parquet."""

import csv
from pathlib import PurePosixPath

import pandas as pd
import pytest

from tasks.classify import table
from tasks.classify.predictions import Prediction

CLASSES = ("ant", "=bee")
ROWS = [
    Prediction("a.jpg", PurePosixPath("a.jpg"), "", "ant", 0.75, (0.75, 0.25), trained_on="copy"),
    Prediction("b.jpg", PurePosixPath("b.jpg"), "empty: 0 bytes"),
    Prediction('=HYPERLINK("x")', PurePosixPath("c"), "", "=bee", 0.875, (0.125, 0.875)),
]
COLUMNS = [
    "image", "label", "probability", "reason", "probability_ant", "probability_=bee", "trained_on"
]  # fmt: skip


def cells(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


def test_a_csv_has_a_row_per_picture_and_a_column_per_class(tmp_path):
    path = table.write(tmp_path / "deep" / "t.csv", ROWS, CLASSES)
    header, *rows = cells(path)
    assert header == COLUMNS
    assert rows[0] == ["a.jpg", "ant", "0.75", "", "0.75", "0.25", "copy"]
    assert rows[1] == ["b.jpg", "", "", "empty: 0 bytes", "", "", ""]


def test_parquet_holds_the_same_with_numbers_as_numbers(tmp_path):
    found = pd.read_parquet(table.write(tmp_path / "t.PARQUET", ROWS, CLASSES))
    assert list(found) == COLUMNS
    assert found["probability_=bee"].tolist()[0] == 0.25
    assert found["probability"].isna().tolist() == [False, True, False]
    assert found["image"].tolist()[2] == '=HYPERLINK("x")'


def test_a_table_of_unreadable_pictures_only_can_be_written(tmp_path):
    found = pd.read_parquet(table.write(tmp_path / "t.parquet", ROWS[1:2], CLASSES))
    assert found["probability_ant"].isna().all()
    assert found["probability_ant"].dtype == float


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＠"])  # noqa: RUF001
def test_no_cell_of_a_csv_begins_like_a_formula(tmp_path, start):
    name = f'{start}cmd|"/c calc"!A0,x\n.jpg'
    row = Prediction(name, PurePosixPath("x"), "", "=bee", 0.5, (0.5, 0.5))
    (_, found) = cells(table.write(tmp_path / "t.csv", [row], CLASSES))
    assert found[0] == f"'{name}"
    assert found[1] == "'=bee"


def test_a_failed_write_leaves_the_old_table(tmp_path, monkeypatch):
    path = table.write(tmp_path / "t.csv", ROWS, CLASSES)
    before = path.read_bytes()
    broken = Prediction("\ud800.jpg", PurePosixPath("x"))  # cannot be written as UTF-8
    with pytest.raises(UnicodeEncodeError):
        table.write(path, [*ROWS, broken], CLASSES)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["t.csv"]
