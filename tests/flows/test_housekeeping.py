"""`darkroom cache gc`: a training that was killed yesterday can still be taken up."""

import os
import time

import pytest

from flows.command import cache

DAY_SECONDS = 24 * 3600


@pytest.fixture
def training(workspace):
    """The state of a killed training, last written to so many days ago."""

    def leave(days):
        state = workspace.unfinished / "train-1" / "0" / "state-0" / "history.json"
        state.parent.mkdir(parents=True, exist_ok=True)
        state.write_text("[]")
        then = time.time() - days * DAY_SECONDS
        for path in (state, *state.relative_to(workspace.unfinished).parents):
            os.utime(workspace.unfinished / path, (then, then))
        return state

    return leave


def test_a_training_killed_yesterday_is_kept_and_gc_says_so(training, capsys):
    state = training(days=1)
    cache.collect(yes=True)
    assert state.exists()
    said = capsys.readouterr().out
    assert "kept for 7 days" in said
    assert "nothing to remove" in said


def test_a_training_that_nobody_took_up_goes(training, workspace, capsys):
    training(days=8)
    cache.collect(yes=True)
    assert not list(workspace.unfinished.iterdir())
    assert "removed 1" in capsys.readouterr().out
