"""Progress: a bar on a terminal, a callback elsewhere."""

import os
import pty
import subprocess
import sys

from tasks.running import progress


def test_without_a_terminal_the_share_done_is_shown_now_and_then(monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_UPDATES", 0.0)
    shown = []
    with progress.tracked("work", 4, shown.append) as advance:
        advance(1)
        advance(3)
    assert shown == [0.25, 1.0, 1.0]


def test_quick_work_is_shown_once_at_its_end():
    shown = []
    with progress.tracked("work", 2, shown.append) as advance:
        advance(1)
    assert shown == [1.0]


def test_nothing_to_do_shows_nothing():
    shown = []
    with progress.tracked("work", 0, shown.append) as advance:
        advance(1)
    assert shown == []


def test_a_terminal_gets_a_bar():
    master, terminal = pty.openpty()
    script = (
        "from tasks.running.progress import tracked\n"
        "with tracked('extract', 3) as advance:\n"
        "    advance(3)\n"
    )
    subprocess.run([sys.executable, "-c", script], stderr=terminal, check=True, timeout=60)
    os.close(terminal)
    seen = os.read(master, 100_000).decode()
    os.close(master)
    assert "extract" in seen
    assert "3/3" in seen
