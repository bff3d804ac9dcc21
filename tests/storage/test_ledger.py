from dataclasses import replace

import pytest

from storage import ledgers
from storage.database.connecting import database
from storage.ledger import Download
from storage.statuses import DownloadStatus
from storage.workspace import DATABASE_VARIABLE
from tests import databases

OK = Download("http://a/1", DownloadStatus.OK, code=200, image="x.jpg", bytes=10, host="a")
GONE = Download("http://a/2", DownloadStatus.NOT_FOUND, "HTTP 404", code=404, host="a")
LATE = Download("http://b/3", DownloadStatus.TIMEOUT, "no byte", seconds=2.5, host="b")


@pytest.fixture(scope="module")
def server():
    with databases.server() as found:
        yield found


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request, workspace, monkeypatch):
    if request.param == "postgresql":
        address = request.getfixturevalue("server").address
        monkeypatch.setenv(DATABASE_VARIABLE, address)
        database(address).do(lambda one: one.execute("DROP TABLE IF EXISTS downloads"))
    with ledgers.opened(workspace) as opened:
        yield opened


def test_rows_come_back_as_they_went_in(ledger):
    ledger.add([OK, GONE, LATE])
    assert ledger.rows([LATE.url, OK.url, "http://c/"]) == {LATE.url: LATE, OK.url: OK}


def test_a_second_row_takes_the_place_of_the_first(ledger):
    ledger.add([LATE])
    ledger.add([replace(LATE, status=DownloadStatus.OK)])
    assert ledger.rows([LATE.url])[LATE.url].status == DownloadStatus.OK


def test_missing_are_those_without_a_row_and_failures_that_may_have_passed(ledger):
    ledger.add([OK, GONE, LATE])
    urls = ["http://new/", LATE.url, GONE.url, OK.url, "http://new/"]
    assert ledger.missing(urls) == ["http://new/"]
    assert ledger.missing(urls, retry_failed=True) == ["http://new/", LATE.url]


def test_more_addresses_than_one_question_holds(ledger):
    rows = [replace(OK, url=f"http://a/{number}") for number in range(5000)]
    ledger.add(rows)
    assert len(ledger.rows([row.url for row in rows])) == 5000


def test_rows_are_there_for_other_readers_at_once(ledger, workspace):
    ledger.add([OK])
    with ledgers.opened(workspace) as second:
        assert second.rows([OK.url]) == {OK.url: OK}
        second.add([GONE])
    assert GONE.url in ledger.rows([GONE.url])


def test_what_may_succeed_later():
    never = {"OK", "NOT_FOUND", "PLACEHOLDER", "ROBOTS", "TRUNCATED", "BAD_URL", "PRIVATE_ADDRESS"}
    assert not any(DownloadStatus[name].may_succeed_later for name in never)
    assert DownloadStatus.TIMEOUT.may_succeed_now
    assert DownloadStatus.TLS.may_succeed_later
    assert not DownloadStatus.TLS.may_succeed_now


def test_a_reason_is_a_line_that_moves_no_cursor(ledger):
    ledger.add([replace(GONE, reason="HTTP 404 \x1b[31mred\n\u202etxt")])
    assert ledger.rows([GONE.url])[GONE.url].reason == "HTTP 404 ?[31mred??txt"


def test_an_address_may_hold_any_character(ledger):
    odd = replace(GONE, url="http://a/\x00'; DROP TABLE downloads --\\é")
    ledger.add([odd, odd])
    assert ledger.rows([odd.url]) == {odd.url: odd}
