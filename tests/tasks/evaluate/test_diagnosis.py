"""What an evaluation knows of a model beyond its metrics is stored, and read back the same."""

import dataclasses
import json

import numpy as np
import pytest

from storage.errors import StorageDamaged
from storage.folders import CURVES, DIAGNOSIS
from tasks.evaluate import diagnosis
from tasks.evaluate.more_data import Expected, MoreData, OfClass, Point
from tests.tasks.publish import sample


@pytest.fixture
def known(workspace):
    return sample.inputs(workspace).diagnosis


def test_what_was_saved_is_loaded(known, tmp_path):
    diagnosis.save(tmp_path, known)
    again = diagnosis.load(tmp_path)
    assert again.digest == known.digest
    assert again.more_data is None
    assert (again.split, again.calibration, again.slices) == (
        known.split, known.calibration, known.slices,
    )  # fmt: skip
    for one, other in zip(known.roc + known.precision_recall,
                          again.roc + again.precision_recall, strict=True):  # fmt: skip
        assert (one.name, one.area) == (other.name, other.area)
        assert np.array_equal(one.x, other.x)
        assert np.array_equal(one.y, other.y)


def test_what_more_pictures_would_give_is_kept(known, tmp_path):
    more = MoreData(
        [Point(0.1, 10, 0.5, 0.4, 0.6), Point(1.0, 100, 0.8, 0.7, 0.9)],
        Expected(0.85, 0.75, 0.92, 0.05, 0.01, 0.08), [OfClass("cat", 33, 0.4, 0.6)], "so it is",
    )  # fmt: skip
    told = dataclasses.replace(known, more_data=more)
    assert told.digest != known.digest
    diagnosis.save(tmp_path, told)
    assert diagnosis.load(tmp_path).more_data == more


def test_it_is_of_the_test_pictures_where_there_are_some(workspace):
    made = sample.inputs(workspace)
    assert made.diagnosis.split == "test"
    rest = made.predictions[made.predictions["split"] != "test"]
    found = diagnosis.diagnose(rest, made.split, made.classes, sample.NO_DOUBTS)
    assert found.split == "validation"


def test_a_long_curve_keeps_its_ends_and_its_area(known, monkeypatch):
    monkeypatch.setattr(diagnosis, "MOST_POINTS", 5)
    thin = diagnosis._thinned(known.roc[0])
    assert len(thin.x) == 5
    assert (thin.x[0], thin.x[-1], thin.area) == (
        known.roc[0].x[0], known.roc[0].x[-1], known.roc[0].area,
    )  # fmt: skip


def test_other_findings_have_another_digest(known, workspace):
    assert sample.inputs(workspace, seed=1).diagnosis.digest != known.digest


@pytest.mark.parametrize("damage", ["facts", "curves"])
def test_a_torn_diagnosis_says_so(known, tmp_path, damage):
    diagnosis.save(tmp_path, known)
    if damage == "facts":
        (tmp_path / DIAGNOSIS).write_text(json.dumps({"split": "test"}))
    else:
        (tmp_path / CURVES).write_bytes(b"PAR1")
    with pytest.raises(StorageDamaged):
        diagnosis.load(tmp_path)
