"""Hosts that are dead or want no more requests are left alone after a while; the list goes on."""

import threading

from storage.statuses import DownloadStatus
from tasks.acquire.web.responses import Failure

# So many attempts in a row, at whatever addresses of the host.
PATIENCE = 20
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
    return unreachable or failure.status == DownloadStatus.RATE_LIMITED
