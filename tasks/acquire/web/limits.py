"""How long and how much: the limits of a request, and what is left of them while it runs.

A server that sends one byte a second never runs into a read timeout, and a header line without an
end never comes back from the HTTP library at all. So the limits are kept where the bytes arrive, in
the socket: every receive of a thread counts against the allowance of the request that it works on.
"""

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

MEBIBYTE = 2**20
# Status line, headers, and what framing adds to a body.
OVERHEAD_BYTES = MEBIBYTE


@dataclass(frozen=True)
class Limits:
    """What one address may cost.

    `connect_seconds` is per address of the host, `read_seconds` between two packets,
    `total_seconds` over all attempts and redirects, without the time spent waiting for a turn.
    A server that asks to come back later than `longest_wait_seconds` is not waited for.
    """

    max_file_bytes: int = 64 * MEBIBYTE
    connect_seconds: float = 10.0
    read_seconds: float = 15.0
    total_seconds: float = 60.0
    redirects: int = 5
    attempts: int = 3
    longest_wait_seconds: float = 60.0


class OutOfTime(TimeoutError):
    """The request has used up its total time."""


class OutOfBytes(OSError):
    """The server has sent more bytes than the request may cost."""


@dataclass
class Allowance:
    """What is left for the request that this thread works on."""

    deadline: float
    connect_seconds: float
    read_seconds: float
    bytes_left: float

    def patience(self, seconds: float) -> float:
        """At most `seconds`, and no longer than the deadline; OutOfTime when it has passed."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise OutOfTime("the total time for this address is over")
        return min(seconds, left)

    def take(self, count: int) -> None:
        """Count `count` received bytes; OutOfBytes when they are more than allowed."""
        self.bytes_left -= count
        if self.bytes_left < 0:
            raise OutOfBytes("more bytes than allowed came in")


UNLIMITED = Allowance(float("inf"), 60.0, 60.0, float("inf"))
_LOCAL = threading.local()


def current() -> Allowance:
    """The allowance of this thread."""
    return getattr(_LOCAL, "allowance", UNLIMITED)


@contextlib.contextmanager
def spending(allowance: Allowance) -> Iterator[Allowance]:
    """Every socket that this thread reads during the block lives on `allowance`."""
    _LOCAL.allowance = allowance
    try:
        yield allowance
    finally:
        del _LOCAL.allowance
