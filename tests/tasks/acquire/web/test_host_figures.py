"""How hosts answered, by the ledger."""

import pytest

from storage.ledger import Download
from storage.statuses import DownloadStatus as S
from tasks.acquire.web.host_figures import MOST_HOSTS, by_host


def row(number, host="a.example", status=S.OK, second=0, code=200, attempts=1):
    return Download(
        url=f"http://{host}/{number}",
        status=status,
        code=code,
        image="some.jpg" if status == S.OK else "",
        seconds=0.25 if code else 60.0,
        attempts=attempts,
        host=host,
        when=f"2026-01-01T00:00:{second:02}+00:00",
    )


def test_each_address_counts_once_and_hanging_ones_slow_no_median():
    rows = [row(n, second=n // 2) for n in range(40)]
    rows += [row(n, status=S.TIMEOUT, code=0, second=20) for n in range(40, 80)]
    rows += [row(80, status=S.NOT_FOUND, code=404), row(81, status=S.SERVER_ERROR, code=503)]
    rows += [row(82, status=S.RATE_LIMITED, code=429)]
    (found,) = by_host(rows).values()
    assert found[:4] == (40, 2, 40, 1)
    assert sum(found[:4]) == len(rows)
    assert found.median_seconds == 0.25
    assert found.pace == pytest.approx(83 / 20)


def test_what_was_never_asked_has_no_median_and_few_addresses_no_pace():
    (found,) = by_host(
        [row(n, code=0, attempts=0, status=S.RATE_LIMITED) for n in range(9)]
    ).values()
    assert (found.median_seconds, found.pace) == (None, None)
    assert found.refused == 9


def test_the_busiest_hosts_alone_come_first():
    many = [row(n, f"host{k:02}.example") for k in range(30) for n in range(1 + k)]
    found = by_host([*many, row(0, "")])
    assert len(found) == MOST_HOSTS
    assert next(iter(found)) == "host29.example"
