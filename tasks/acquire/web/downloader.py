"""A list of addresses, by many threads: pictures to the image store, rows to the ledger."""

import itertools
import os
import queue
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from storage.errors import StorageError
from storage.images import ImageStore
from storage.ledger import Download
from storage.ledgers import AnyLedger
from storage.statuses import DownloadStatus, asks_for_less
from tasks.acquire.web import pictures, placeholders
from tasks.acquire.web.connections import GuardedAdapter
from tasks.acquire.web.fetch import Again, Fetcher, Job, Kept, bad_url
from tasks.acquire.web.limits import Limits
from tasks.acquire.web.politeness import Turns, host_of
from tasks.running.progress import Advance

THREADS = 64
# So many addresses are known to the threads at a time, whatever the length of the list.
WINDOW = 50_000
# Rows are committed together this often: what a kill can lose is fetched again.
SECONDS_BETWEEN_COMMITS = 0.05
SECONDS_TO_STOP = 2.0

# Pixels take a hundred times the room of their file, and new files are made one at a time by the
# file system: as many threads look at pictures and store them as there are cores.
_KEEPING = threading.BoundedSemaphore(os.cpu_count() or 1)


@dataclass(frozen=True)
class Manners:
    """How hosts are treated: requests at a time and per second (0: no limit) for each host."""

    concurrency: int = 8
    rate: float = 50.0
    obey_robots: bool = True
    allow_private_addresses: bool = False


def download(
    jobs: Iterable[Job],
    ledger: AnyLedger,
    images: ImageStore,
    *,
    allowed: Limits,
    manners: Manners,
    advance: Advance,
    threads: int = THREADS,
) -> None:
    """Every job ends as a row of the ledger, its picture stored before; `advance(n)` for n rows.

    An interrupt stops at once: rows that are finished are committed, the others are missing.
    """
    turns: Turns[Job] = Turns(concurrency=manners.concurrency, rate=manners.rate)
    adapter = GuardedAdapter(
        allow_private=manners.allow_private_addresses, connections_per_host=manners.concurrency
    )
    fetcher = Fetcher(
        adapter,
        allowed,
        partial(keep, images=images),
        turns,
        obey_robots=manners.obey_robots,
    )
    crew = Crew(turns, fetcher, threads)
    try:
        for rows in crew.rows(jobs):
            ledger.add(rows)
            advance(len(rows))
    finally:
        ledger.add(crew.stop())
        adapter.close()


def keep(data: bytes, images: ImageStore) -> Kept:
    """What these bytes are; a picture is stored."""
    if name := placeholders.known(data):
        return Kept(DownloadStatus.PLACEHOLDER, name)
    with _KEEPING:
        return _kept(data, images)


def _kept(data: bytes, images: ImageStore) -> Kept:
    status, reason = pictures.examined(data)
    if status != DownloadStatus.OK:
        return Kept(status, reason)
    try:
        return Kept(status, image=images.add(data))
    except OSError as error:
        # Not the server's fault: without this it would look like a broken connection.
        raise StorageError(f"pictures cannot be written to {images.root}: {error}") from error


class Crew:
    """Threads that take turns and send requests until they are told to stop."""

    def __init__(self, turns: Turns[Job], fetcher: Fetcher, threads: int) -> None:
        self._turns = turns
        self._fetcher = fetcher
        self._finished: queue.SimpleQueue[Download | BaseException] = queue.SimpleQueue()
        # Daemons: a process that ends does not wait for a server that drips.
        self._threads = [
            threading.Thread(target=self._run, name=f"download-{number}", daemon=True)
            for number in range(threads)
        ]

    def rows(self, jobs: Iterable[Job]) -> Iterator[list[Download]]:
        """The rows of all jobs, as they are finished, several at a time."""
        source = iter(jobs)
        open_jobs = self._fill(source, WINDOW)
        for thread in self._threads[:open_jobs]:
            thread.start()
        while open_jobs:
            rows = self._collected()
            open_jobs -= len(rows)
            open_jobs += self._fill(source, WINDOW - open_jobs)
            yield rows

    def stop(self) -> list[Download]:
        """No new request starts; the rows that were finished but not given out."""
        self._turns.close()
        give_up_at = time.monotonic() + SECONDS_TO_STOP
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, give_up_at - time.monotonic()))
        return [row for row in self._at_hand() if isinstance(row, Download)]

    def _fill(self, source: Iterator[Job], room: int) -> int:
        count = 0
        for job in itertools.islice(source, room):
            if bad_url(job.target):
                self._pass_on(self._fetcher.work(job))
            else:
                self._turns.put(host_of(job.target), job)
            count += 1
        return count

    def _collected(self) -> list[Download]:
        """At least one row; what the threads could not handle is raised here."""
        first = self._finished.get()
        time.sleep(SECONDS_BETWEEN_COMMITS)
        rows = []
        for found in (first, *self._at_hand()):
            if isinstance(found, BaseException):
                raise found
            rows.append(found)
        return rows

    def _at_hand(self) -> list[Download | BaseException]:
        found = []
        while not self._finished.empty():
            found.append(self._finished.get())
        return found

    def _run(self) -> None:
        while (turn := self._turns.take()) is not None:
            host, job = turn
            try:
                outcome = self._fetcher.work(job)
            except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
                self._finished.put(error)
                return
            self._pass_on(outcome)
            # Once it is passed on: what is to be paused is paused before the next may start.
            sent = not (isinstance(outcome, Download) and outcome.attempts < job.attempts)
            self._turns.done(host, answered=_heard(outcome), sent=sent, refused=_refused(outcome))

    def _pass_on(self, outcome: Download | Again) -> None:
        if isinstance(outcome, Download):
            self._finished.put(outcome)
            return
        host = host_of(outcome.job.target)
        if outcome.whole_host:
            self._turns.pause(host, outcome.seconds)
            self._turns.put(host, outcome.job, first=True)
        else:
            self._turns.put(host, outcome.job, after_seconds=outcome.seconds)


def _heard(outcome: Download | Again) -> bool:
    """Whether the host said anything."""
    if isinstance(outcome, Download):
        return bool(outcome.code)
    return outcome.failure is None or bool(outcome.failure.code)


def _refused(outcome: Download | Again) -> bool:
    """Whether the host wants fewer requests."""
    found = outcome if isinstance(outcome, Download) else outcome.failure
    return found is not None and asks_for_less(found.status, found.code)
