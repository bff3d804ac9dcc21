"""Signals that stop what they should, caught by a library or not."""

import contextlib
import signal
import threading

import pytest

from tasks.running.interruption import SIGNALS, heeded


class Asked(BaseException):
    """What a handler of somebody else's raises, as Prefect's does at SIGTERM."""


def ask(number, frame):
    raise Asked


def caught(number):
    """A signal whose exception nobody lets through."""
    with contextlib.suppress(BaseException):
        signal.raise_signal(number)


@pytest.fixture(params=SIGNALS, ids=lambda number: number.name)
def number(request):
    before = signal.signal(request.param, ask)
    yield request.param
    assert signal.signal(request.param, before) is ask


def test_a_signal_that_is_not_caught_is_raised_once(number):
    with pytest.raises(Asked), heeded():
        signal.raise_signal(number)


def test_a_signal_that_was_caught_is_raised_when_heeded(number):
    with heeded() as heed:
        caught(number)
        with pytest.raises(Asked):
            heed()
        heed()  # once is enough


def test_a_signal_that_was_caught_is_raised_at_the_end(number):
    with pytest.raises(Asked), heeded():
        caught(number)


def test_a_handler_that_only_takes_note_is_not_asked_for_ever(number):
    notes = []
    signal.signal(number, lambda *_: notes.append("heard"))
    with heeded() as heed:
        signal.raise_signal(number)
        heed()
        heed()
    assert len(notes) == 2
    signal.signal(number, ask)


def test_an_ignored_signal_stays_ignored(number):
    signal.signal(number, signal.SIG_IGN)
    with heeded() as heed:
        signal.raise_signal(number)
        heed()
        assert signal.getsignal(number) is signal.SIG_IGN
    signal.signal(number, ask)


def test_a_note_is_taken_no_more_often_inside_of_another_block(number):
    notes = []
    signal.signal(number, lambda *_: notes.append("heard"))
    with heeded(), heeded():
        signal.raise_signal(number)
    assert len(notes) == 2
    signal.signal(number, ask)


def test_the_handler_stays_in_its_place(number):
    """Prefect looks whether its own is there, before it calls a run cancelled and not crashed."""
    with heeded():
        assert signal.getsignal(number) is ask


def test_blocks_inside_each_other_stop_at_the_first_chance(number):
    with heeded(), heeded() as heed:
        caught(number)
        with pytest.raises(Asked):
            heed()


def test_threads_beside_the_main_one_leave_the_handlers_alone(number):
    def block():
        with heeded() as heed:
            heed()
            seen.append(signal.getsignal(number))

    seen = []
    thread = threading.Thread(target=block)
    thread.start()
    thread.join()
    assert seen == [ask]
