"""The record of runs: nothing lost that matters, nothing that grows without end."""

import pytest

from storage import records
from storage.records import KEPT_PER_STEP, Record


def record(number=0, experiment="small", step="train"):
    return Record(
        experiment=experiment,
        step=step,
        key=f"{step}-{number:08d}",
        parts={"code": "abc"},
        state="executed",
        why="first run",
        seconds=1.5,
        when=records.now(),
        result={"digest": str(number), "where": "models/x"},
    )


def test_the_latest_record_comes_back_as_it_was(workspace):
    for number in range(3):
        records.add(workspace, record(number))
    assert records.latest(workspace, "small", "train").result["digest"] == "2"
    assert records.latest(workspace, "small", "train").parts == {"code": "abc"}


def test_no_record_is_none(workspace):
    assert records.latest(workspace, "small", "train") is None
    assert records.all_of(workspace) == []


def test_steps_and_experiments_are_kept_apart(workspace):
    records.add(workspace, record(1, step="train"))
    records.add(workspace, record(2, step="split"))
    records.add(workspace, record(3, experiment="other"))
    assert records.latest(workspace, "small", "train").result["digest"] == "1"
    assert len(records.all_of(workspace)) == 3


def test_the_oldest_records_go(workspace):
    for number in range(KEPT_PER_STEP + 5):
        records.add(workspace, record(number))
    kept = [one.result["digest"] for one in records.all_of(workspace)]
    assert kept == [str(number) for number in range(5, KEPT_PER_STEP + 5)]


@pytest.mark.parametrize("data", [b"", b"{", b"{}", b"\xff\xfe", b"[1]"])
def test_a_damaged_record_is_passed_over(workspace, data):
    records.add(workspace, record(1))
    records.add(workspace, record(2)).write_bytes(data)
    assert records.latest(workspace, "small", "train").result["digest"] == "1"
    assert len(records.all_of(workspace)) == 1


def test_an_odd_experiment_name_stays_inside_the_records(workspace):
    path = records.add(workspace, record(1, experiment="../../<script>"))
    assert path.is_relative_to(workspace.records)
    assert path.resolve().is_relative_to(workspace.records.resolve())
    assert records.latest(workspace, "../../<script>", "train") is not None
