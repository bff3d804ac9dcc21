"""How long a step may take, by the records of earlier runs."""

import pytest

from storage import records
from storage.references import ImagesRef, SplitRef
from tasks.running.durations import at_most, duration, pictures_of

LITE = {"model.backbone": '"EfficientNetLite0"', "split": "a"}


def executed(workspace, experiment, seconds, pictures, parts=LITE, state="executed"):
    records.add(
        workspace,
        records.Record(
            experiment=experiment,
            step="extract",
            key=f"extract-{experiment}-{seconds}",
            parts=parts,
            state=state,
            why="",
            seconds=seconds,
            pictures=pictures,
            when=records.now(),
            result={},
        ),
    )


def test_the_slowest_pace_of_those_that_did_the_same_counts(workspace):
    executed(workspace, "a", 10.0, 1000)
    executed(workspace, "b", 30.0, 1000)
    executed(workspace, "c", 500.0, 1000, {"model.backbone": '"VGG16"', "split": "a"})
    assert at_most(workspace, "extract", LITE | {"split": "b"}, 2000) == pytest.approx(60)


def test_a_later_use_of_the_cache_hides_no_execution(workspace):
    executed(workspace, "a", 10.0, 1000)
    executed(workspace, "a", 0.1, 1000, state="cached")
    assert at_most(workspace, "extract", LITE, 1000) == pytest.approx(10)


def test_a_later_run_that_knew_its_pictures_makes_no_promise(workspace):
    executed(workspace, "a", 100.0, 1000)
    executed(workspace, "a", 1.0, 1010)
    assert at_most(workspace, "extract", LITE, 1000) == pytest.approx(100)


@pytest.mark.parametrize(("step", "pictures"), [("extract", 0), ("publish", 1000)])
def test_where_nothing_tells_nothing_is_said(workspace, step, pictures):
    executed(workspace, "few", 10.0, 20)
    executed(workspace, "old", 10.0, 0)
    assert at_most(workspace, step, LITE, pictures) is None
    assert at_most(workspace, step, LITE, 1000) is None


def test_pictures_are_counted_by_what_a_step_is_given():
    images = ImagesRef(
        digest="a", where="a", images=70, rejected=1, ignored=0, groups=70, classes=()
    )
    split = SplitRef(
        digest="b", where="b", tree="", classes=(), train=5, validation=2, test=3, left_out=9
    )
    assert pictures_of([images, "words", None]) == 70
    assert pictures_of([split]) == 10
    assert pictures_of(["words", 7]) == 0


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(5.4, "5 s"), (41, "40 s"), (130, "2 min"), (3900, "65 min"), (9000, "2 h")],
)
def test_a_duration_is_as_exact_as_it_is_known(seconds, said):
    assert duration(seconds) == said
