"""Whose turn it is: requests wait per host, so that a slow or limited host delays only itself.

No thread ever waits for a host: it takes the next request whose host is ready, and what must be
tried again later goes back here with the time before which it may not start.

How much a host gets follows its answers, as congestion control does (Jacobson 1988): a refusal
halves it, good answers bring it back step by step.
"""

import heapq
import itertools
import math
import threading
import time
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import urlsplit

# Requests leave a little slower than allowed, since the network may push two of them together.
SLACK = 1.1
LIMITED_SECONDS = 0.1
# What a host that asks for a pause gets between two requests: first this, at most that; each good
# answer takes off a share, until this little is left.
FIRST_EASE_SECONDS = 0.1
LAST_EASE_SECONDS = 10.0
RECOVERY, NO_EASE_SECONDS = 0.97, 0.001
# A request that takes longer has its place still, but others need not wait for its answer.
OVERDUE_SECONDS = 5.0
PORTS = {"http": ":80", "https": ":443"}
Job = TypeVar("Job")


def host_of(url: str) -> str:
    """Host and port (the latter if it is not the scheme's own), in lower case."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2].lower()
    return host.removesuffix(PORTS.get(parts.scheme, ""))


@dataclass
class Host(Generic[Job]):
    """What is going on with one host; times are those of `time.monotonic`.

    `asked` is the time between requests that it or the user asks for, `eased` what refusals make
    of it; `window` is how many requests may be under way, `started` when those that are began, by
    thread.
    """

    name: str
    asked: float
    eased: float = 0.0
    # One request at a time until it has answered: a dead host costs one thread, not many.
    heard: bool = False
    window: float = 1.0
    refused_at: float = -math.inf
    started: dict[int, float] = field(default_factory=dict)
    next_at: float = 0.0
    scheduled_at: float = math.inf
    waiting: list[tuple[float, int, Job]] = field(default_factory=list)

    @property
    def seconds_between(self) -> float:
        """The time from one request to the next."""
        return max(self.asked, self.eased)

    def free_at(self, most: int) -> float:
        """When one more may start, as far as those under way are concerned, `most` in all."""
        if len(self.started) >= most:
            return math.inf
        limit = 1 if self.is_limited else int(self.window)
        latest = sorted(self.started.values())[-limit:]
        if len(latest) < limit:
            return -math.inf
        return latest[0] + OVERDUE_SECONDS if self.heard else math.inf

    @property
    def is_limited(self) -> bool:
        """Whether the next request waits for the answer to the last, and counts its time from it.

        Only then can the host never see two of them closer together than it wants.
        """
        return self.seconds_between >= LIMITED_SECONDS


class Turns(Generic[Job]):
    """Requests by host, given out within the limits; safe for many threads.

    `rate` is in requests per second and host, 0 for no limit.
    """

    def __init__(self, *, concurrency: int, rate: float = 0.0) -> None:
        self._concurrency = concurrency
        self._rate = rate
        self._hosts: dict[str, Host[Job]] = {}
        self._ready: list[tuple[float, int, Host[Job]]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._watched_until = math.inf
        self._closed = False

    def put(self, name: str, job: Job, *, after_seconds: float = 0.0, first: bool = False) -> None:
        """Let `job` wait for a turn at the host `name`, at least for `after_seconds`.

        `first`: before all others of the host.
        """
        not_before = time.monotonic() + after_seconds if after_seconds else 0.0
        with self._changed:
            host = self._host(name)
            number = next(self._numbers)
            heapq.heappush(host.waiting, (not_before, -number if first else number, job))
            self._schedule(host)

    def take(self) -> tuple[str, Job] | None:
        """The next host and job, as soon as its host is ready; None once this is closed."""
        with self._changed:
            while not self._closed:
                self._drop_outdated()
                ready_at = self._ready[0][0] if self._ready else math.inf
                if ready_at <= time.monotonic():
                    return self._start()
                self._wait_until(ready_at)
        return None

    def done(self, name: str, *, answered: bool, sent: bool = True, refused: bool = False) -> None:
        """The host is free for the next; `answered` if it said anything, `sent` if it was asked.

        Called by the thread that took the job. `refused`: it wants fewer requests.
        """
        with self._changed:
            host = self._host(name)
            started = host.started.pop(threading.get_ident(), math.inf)
            if refused:
                self._ease(host, started)
            elif answered and sent:
                self._trust(host)
            if not sent:
                host.next_at -= host.seconds_between
            elif host.is_limited:
                host.next_at = max(host.next_at, time.monotonic() + host.seconds_between)
            self._schedule(host)

    def expects(self, name: str) -> bool:
        """Whether a request to this host waits for its turn, or is on its way."""
        with self._changed:
            host = self._hosts.get(name)
            return host is not None and bool(host.waiting or host.started)

    def pause(self, name: str, seconds: float) -> None:
        """Nothing more to this host for so many seconds."""
        with self._changed:
            host = self._host(name)
            host.next_at = max(host.next_at, time.monotonic() + seconds)
            self._schedule(host)

    def _ease(self, host: Host[Job], started: float) -> None:
        """Half as many requests at a time to this host, and half as fast as before.

        Answers to requests that were on their way together slow it down only once.
        """
        if started >= host.refused_at:
            host.refused_at = time.monotonic()
            host.window = max(1.0, host.window / 2)
            slower = max(2 * host.seconds_between, FIRST_EASE_SECONDS)
            host.eased = min(slower, LAST_EASE_SECONDS)
        host.heard = True

    def _trust(self, host: Host[Job]) -> None:
        """A little more of what the host was given before it refused, after a good answer."""
        if not host.heard:
            host.window = self._concurrency
        host.heard = True
        host.window = min(self._concurrency, host.window + 1 / host.window)
        host.eased *= RECOVERY
        if host.eased <= max(host.asked, NO_EASE_SECONDS):
            host.eased = 0.0

    def slow_down(self, name: str, seconds_between: float) -> None:
        """At least so many seconds between two requests to this host from now on."""
        with self._changed:
            host = self._host(name)
            host.asked = max(host.asked, SLACK * seconds_between)
            host.next_at = max(host.next_at, time.monotonic() + host.seconds_between)
            self._schedule(host)

    def close(self) -> None:
        """Every `take`, now and later, gives None."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _host(self, name: str) -> Host[Job]:
        host = self._hosts.get(name)
        if host is None:
            host = self._hosts[name] = Host(name, SLACK / self._rate if self._rate else 0.0)
        return host

    def _schedule(self, host: Host[Job]) -> None:
        """Note when the host's next job may start; an earlier note becomes outdated."""
        ready_at = math.inf
        if host.waiting:
            free_at = host.free_at(self._concurrency)
            ready_at = max(host.next_at, host.waiting[0][0], free_at)
        if ready_at != host.scheduled_at:
            host.scheduled_at = ready_at
            if ready_at < math.inf:
                heapq.heappush(self._ready, (ready_at, next(self._numbers), host))
                self._changed.notify()

    def _drop_outdated(self) -> None:
        while self._ready and self._ready[0][0] != self._ready[0][2].scheduled_at:
            heapq.heappop(self._ready)

    def _start(self) -> tuple[str, Job]:
        host = heapq.heappop(self._ready)[2]
        job = heapq.heappop(host.waiting)[2]
        host.scheduled_at = math.inf
        host.started[threading.get_ident()] = time.monotonic()
        host.next_at = max(host.next_at, time.monotonic() + host.seconds_between)
        self._schedule(host)
        if self._ready:
            self._changed.notify()
        return host.name, job

    def _wait_until(self, ready_at: float) -> None:
        """Wait for a change; one thread at a time also watches the clock, the others sleep on."""
        if ready_at >= self._watched_until:
            self._changed.wait()
            return
        self._watched_until = ready_at
        try:
            self._changed.wait(None if ready_at == math.inf else ready_at - time.monotonic())
        finally:
            if self._watched_until == ready_at:
                self._watched_until = math.inf
