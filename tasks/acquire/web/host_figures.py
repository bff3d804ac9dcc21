"""How hosts answered: pictures, refusals, how long an answer took, how many came in a second."""

import statistics
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from storage.ledger import Download
from storage.statuses import DownloadStatus, asks_for_less

MOST_HOSTS = 20
# From fewer addresses no pace can be told, nor within less time: rows say the second.
FEWEST, SHORTEST_SECONDS = 20, 5.0


class HostFigures(NamedTuple):
    """Addresses that gave a picture, were refused for now (429, 503), timed out, and ended else.

    `median_seconds` is what an answer took, retries included; `pace` how many addresses were
    settled a second, from the first to the last. None where that cannot be told.
    """

    pictures: int
    refused: int
    timed_out: int
    others: int
    median_seconds: float | None
    pace: float | None


def by_host(rows: Iterable[Download]) -> dict[str, HostFigures]:
    """Of the MOST_HOSTS hosts with most addresses, the busiest first."""
    found: dict[str, list[Download]] = defaultdict(list)
    for row in rows:
        if row.host:
            found[row.host].append(row)
    busiest = sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0]))[:MOST_HOSTS]
    return {host: _figures(some) for host, some in busiest}


def _figures(rows: list[Download]) -> HostFigures:
    pictures = sum(bool(row.image) and row.status == DownloadStatus.OK for row in rows)
    refused = sum(asks_for_less(row.status, row.code) for row in rows)
    timed_out = sum(row.status == DownloadStatus.TIMEOUT for row in rows)
    answered = [row.seconds for row in rows if row.attempts and row.code]
    median = statistics.median(answered) if answered else None
    others = len(rows) - pictures - refused - timed_out
    return HostFigures(pictures, refused, timed_out, others, median, _pace(rows))


def _pace(rows: list[Download]) -> float | None:
    when = sorted(datetime.fromisoformat(row.when) for row in rows if row.attempts and row.when)
    if len(when) < FEWEST:
        return None
    seconds = (when[-1] - when[0]).total_seconds()
    return len(when) / seconds if seconds >= SHORTEST_SECONDS else None
