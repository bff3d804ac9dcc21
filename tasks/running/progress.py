"""Progress of what takes longer than a few seconds: a bar on a terminal, else Prefect's page."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

Advance = Callable[[int], None]
# How many of what are to be done, to a function that is told of those done.
Progress = Callable[[str, int], contextlib.AbstractContextManager[Advance]]
SECONDS_BETWEEN_UPDATES = 5.0


def silent(count: int) -> None:
    """Progress that nobody watches."""


@contextlib.contextmanager
def tracked(
    label: str, total: int | None, show: Callable[[float], None] | None = None
) -> Iterator[Advance]:
    """A function to call with the number of items just done.

    `total` is None where nobody knows it beforehand. On a terminal the function moves a bar on
    standard error; elsewhere it calls `show` with the share done, every SECONDS_BETWEEN_UPDATES at
    most and once at the end.
    """
    if sys.stderr.isatty():
        with _bar(label, total) as advance:
            yield advance
    elif show is not None and total:
        with _throttled(total, show) as advance:
            yield advance
    else:
        yield silent


@contextlib.contextmanager
def tracked_in_parts(
    label: str,
    total: int,
    part_label: str,
    parts: int,
    show: Callable[[float], None] | None = None,
) -> Iterator[tuple[Advance, Advance]]:
    """Two functions: for items just done, and for the parts, `parts` of them, that an item has.

    On a terminal there is a bar for each; elsewhere `show` is called with the share of all parts.
    """
    if sys.stderr.isatty():
        with _bars() as bars:
            whole, part = bars.add_task(label, total=total), bars.add_task(part_label, total=parts)

            def item_done(count: int) -> None:
                bars.advance(whole, count)
                bars.reset(part)

            yield item_done, lambda count: bars.advance(part, count)
    elif show is not None:
        with _throttled(total * parts, show) as advance:
            yield silent, advance
    else:
        yield silent, silent


@contextlib.contextmanager
def _bar(label: str, total: int | None) -> Iterator[Advance]:
    with _bars() as bars:
        task = bars.add_task(label, total=total)
        yield lambda count: bars.advance(task, count)


def _bars() -> Any:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description:>9}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=True))


@contextlib.contextmanager
def _throttled(total: int, show: Callable[[float], None]) -> Iterator[Advance]:
    done = 0
    shown_at = time.monotonic()

    def advance(count: int) -> None:
        nonlocal done, shown_at
        done += count
        if time.monotonic() - shown_at >= SECONDS_BETWEEN_UPDATES:
            shown_at = time.monotonic()
            show(min(done / total, 1.0))

    yield advance
    show(1.0)


def progress_artifact(step_name: str) -> Callable[[float], None]:
    """A function that shows a share done (0 to 1) in Prefect's page of this run."""
    identifier: list[Any] = []

    def show(share: float) -> None:
        from prefect.artifacts import create_progress_artifact, update_progress_artifact

        percent = round(100 * share, 1)
        if identifier:
            update_progress_artifact(identifier[0], progress=percent)
        else:
            identifier.append(
                create_progress_artifact(progress=percent, key=f"{step_name}-progress")
            )

    return show
