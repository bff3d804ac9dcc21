"""Hosts that are dead or want no more requests are left alone after a while; the list goes on.

Hosts some of whose addresses hang are waited for less.
"""

import threading
from collections import Counter

from storage.statuses import DownloadStatus, asks_for_less
from tasks.acquire.web.responses import Failure

# So many attempts in a row, at whatever addresses of the host.
PATIENCE = 20
# After so many addresses that hung, those of the host get so many times what its slowest good
# answer took, and so many seconds at least.
HANGING, SLOWER, SHORTEST_SECONDS = 3, 5.0, 10.0
UNREACHABLE = frozenset(
    {
        *(DownloadStatus.DNS, DownloadStatus.CONNECTION, DownloadStatus.TLS),
        DownloadStatus.TIMEOUT,
    }
)


class Strikes:
    """Failures in a row by host; safe for many threads."""

    def __init__(self) -> None:
        self._failures: dict[str, list[Failure]] = {}
        self._lock = threading.Lock()

    def note(self, host: str, failure: Failure | None) -> None:
        """Count a failure of the host itself; whatever else it answers clears its name."""
        if failure is not None and _is_hosts_own(failure):
            with self._lock:
                self._failures.setdefault(host, []).append(failure)
        elif host in self._failures:
            self._failures.pop(host, None)

    def out(self, host: str) -> Failure | None:
        """The verdict on a host that has failed PATIENCE times in a row; None for others."""
        found = self._failures.get(host, [])
        if len(found) < PATIENCE:
            return None
        reason = f"not asked: {host} had failed {PATIENCE} times in a row ({found[0].reason})"
        return Failure(found[0].status, reason)


def _is_hosts_own(failure: Failure) -> bool:
    unreachable = failure.status in UNREACHABLE and not failure.code
    return unreachable or asks_for_less(failure.status, failure.code)


class Patience:
    """How long an address of a host may take, shorter where many of its addresses hang."""

    def __init__(self, total_seconds: float) -> None:
        self._total = total_seconds
        self._hung: Counter[str] = Counter()
        self._slowest: dict[str, float] = {}
        self._lock = threading.Lock()

    def seconds(self, host: str) -> float:
        """The whole time at first; later several times what the slowest good answer took."""
        if self._hung[host] < HANGING:
            return self._total
        return min(self._total, max(SHORTEST_SECONDS, SLOWER * self._slowest.get(host, 0.0)))

    def note(self, host: str, seconds: float, *, hung: bool) -> None:
        """An address took so long, or until its time was over."""
        with self._lock:
            if hung:
                self._hung[host] += 1
            else:
                self._slowest[host] = max(self._slowest.get(host, 0.0), seconds)

    def why(self, host: str, seconds: float) -> str:
        """Why an address had only so many seconds, for the ledger; "" where it had them all."""
        if seconds >= self._total:
            return ""
        return f" after {seconds:.0f} s, as {self._hung[host]} addresses of {host} had hung"
