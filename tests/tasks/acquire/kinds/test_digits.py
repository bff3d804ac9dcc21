"""The digits as a Kaggle-shaped zip."""

import os
from collections import Counter

import cv2
import numpy as np
import pytest

from tasks.acquire.archives import reading
from tasks.acquire.kinds.digits import write_zip
from tasks.acquire.layout.understanding import by_pattern
from tasks.acquire.parameters import KAGGLE_NAMES


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return write_zip(tmp_path_factory.mktemp("digits") / "deep" / "digits.zip")


@pytest.fixture(scope="module")
def rows(digits):
    return list(reading.files_of(digits, max_total_bytes=2**20, max_file_bytes=2**20))


def test_there_are_1797_labelled_pictures(rows):
    label = by_pattern(KAGGLE_NAMES)
    count = Counter(label(row.name) for row in rows if row.data is not None)
    assert count.total() == 1797
    assert set(count) == set("0123456789")
    assert min(count.values()) > 170


def test_the_only_other_file_is_kaggles(rows):
    assert [row.name for row in rows if row.data is None] == ["sampleSubmission.csv"]


def test_a_picture_is_8_by_8_grey_over_the_whole_range(rows):
    first = next(row for row in rows if row.name == "digits/0.0.png")
    pixels = cv2.imdecode(np.frombuffer(first.data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels.shape == (8, 8)
    assert pixels.dtype == np.uint8
    assert pixels.max() > 200


def test_the_bytes_are_the_same_every_time(digits, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert write_zip(tmp_path / "again.zip").read_bytes() == digits.read_bytes()


def test_a_zip_that_is_there_is_kept(digits):
    os.utime(digits, (1, 1))
    assert write_zip(digits).stat().st_mtime == 1
