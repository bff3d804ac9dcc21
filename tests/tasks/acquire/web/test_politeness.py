import random
import threading
import time
from collections import defaultdict

import pytest

from storage.statuses import DownloadStatus as S
from tasks.acquire.web import politeness
from tasks.acquire.web.failing_hosts import HANGING, PATIENCE, SHORTEST_SECONDS, Patience
from tasks.acquire.web.politeness import Turns, host_of
from tests.tasks.acquire.web.hostile import picture, serving, slowly


def robots(text):
    return lambda line, request: line.answer(200, text.encode(), Content_Type="text/plain")


def most_within_a_second(times):
    return max(sum(start <= at < start + 1.0 for at in times) for start in times)


def test_one_limited_host_of_ten_never_sees_more_and_slows_nobody(downloads):
    text = "User-agent: *\nCrawl-delay: 0.5\n"
    servers = [
        serving({"/robots.txt": robots(text if not n else ""), "*": slowly(0.02, picture(n))},
                address=f"127.0.0.{n + 2}")
        for n in range(10)
    ]  # fmt: skip
    opened = [server.__enter__() for server in servers]
    try:
        limited, others = opened[0], opened[1:]
        # The limited host's addresses come first, and are more than there are threads.
        urls = [limited.url(f"/{n}.jpg") for n in range(6)]
        urls += [server.url(f"/{n}.jpg") for n in range(10) for server in others]
        began = time.monotonic()
        rows = downloads(urls, threads=8, manners={"rate": 0.0})
        assert {row.status for row in rows.values()} == {S.OK}
        assert most_within_a_second([request.at for request in limited.requests]) <= 2
        others_took = max(r.at for server in others for r in server.requests) - began
        limited_took = max(r.at for r in limited.requests) - began
        assert limited_took > 2.4
        assert others_took < limited_took - 0.5
    finally:
        for server in servers:
            server.__exit__(None, None, None)


def test_no_more_requests_a_second_than_allowed(downloads):
    with serving({"*": picture()}) as server:
        rows = downloads([server.url(f"/{n}.jpg") for n in range(4)], manners={"rate": 2.0})
        assert [row.status for row in rows.values()] == [S.OK] * 4
        assert most_within_a_second([request.at for request in server.requests]) <= 2


def test_no_more_requests_at_a_time_than_allowed(downloads):
    with serving({"*": slowly(0.05, picture())}) as server:
        downloads([server.url(f"/{n}.jpg") for n in range(40)],
                  manners={"concurrency": 3, "rate": 0.0})  # fmt: skip
        assert server.busiest == 3


def test_a_host_that_says_too_many_gets_fewer(downloads):
    seen = []

    def limited(line, request):
        now = time.monotonic()
        seen.append(now)
        if sum(at > now - 1.0 for at in seen) > 4:
            line.answer(429, Retry_After="1")
        else:
            picture(len(seen))(line, request)

    with serving({"*": limited, "/robots.txt": robots("")}) as server:
        urls = [server.url(f"/{n}.jpg") for n in range(12)]
        rows = downloads(urls, manners={"rate": 0.0}, total_seconds=30.0)
    assert {row.status for row in rows.values()} == {S.OK}


def test_a_pause_holds_back_the_host_and_nobody_else():
    turns: Turns[int] = Turns(concurrency=4)
    turns.put("a", 1)
    turns.pause("a", 0.3)
    turns.put("b", 2)
    began = time.monotonic()
    assert turns.take() == ("b", 2)
    assert turns.take() == ("a", 1)
    assert time.monotonic() - began >= 0.3
    turns.close()
    assert turns.take() is None


def test_what_was_pushed_back_first_comes_first():
    turns: Turns[int] = Turns(concurrency=1)
    for job in (1, 2, 3):
        turns.put("a", job)
    assert turns.take() == ("a", 1)
    turns.put("a", 1, first=True)
    turns.done("a", answered=True)
    assert turns.take() == ("a", 1)


def test_every_job_is_given_once_within_limits_whatever_happens_meanwhile():
    turns: Turns[int] = Turns(concurrency=3)
    rng = random.Random(4)
    active: dict[str, int] = defaultdict(int)
    most: dict[str, int] = defaultdict(int)
    given = []
    lock = threading.Lock()

    def work():
        while (turn := turns.take()) is not None:
            host, job = turn
            with lock:
                active[host] += 1
                most[host] = max(most[host], active[host])
                given.append(job)
            time.sleep(rng.random() * 0.002)
            with lock:
                active[host] -= 1
            turns.done(host, answered=True)
            if len(given) == 2000:
                turns.close()

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for job in range(2000):
        turns.put(f"host {rng.randrange(7)}", job, after_seconds=rng.choice([0, 0, 0.01]))
        if job % 300 == 0:
            turns.pause(f"host {rng.randrange(7)}", 0.05)
    for thread in threads:
        thread.join(20)
    assert sorted(given) == list(range(2000))
    assert max(most.values()) <= 3


@pytest.mark.parametrize(
    ("url", "host"),
    [("http://A.example:80/x", "a.example"), ("https://a.example:80/", "a.example:80"),
     ("http://user:word@a.example/", "a.example"), ("https://[::1]:443/", "[::1]")],
)  # fmt: skip
def test_host_of(url, host):
    assert host_of(url) == host


def one_turn(turns, host="a", *, refused=False):
    """A request that is asked and answered."""
    turns.put(host, 0)
    assert turns.take() == (host, 0)
    turns.done(host, answered=True, refused=refused)


def state(turns, host="a"):
    found = turns._hosts[host]
    return found.seconds_between, int(found.window)


def test_a_refusal_halves_what_a_host_gets_and_good_answers_bring_it_back():
    turns: Turns[int] = Turns(concurrency=8, rate=200.0)
    for _ in range(3):
        one_turn(turns)
    before = state(turns)
    assert before[1] == 8
    one_turn(turns, refused=True)
    halved = state(turns)
    assert halved[1] == 4
    assert halved[0] >= 2 * before[0]
    steps = []
    for _ in range(200):
        one_turn(turns)
        steps.append(state(turns))
    assert steps == sorted(steps, key=lambda one: (-one[0], one[1]))  # step by step, never back
    assert steps[0][0] > 0.9 * halved[0]
    assert steps[-1][1] == 8
    assert steps[-1][0] <= 1.2 * before[0]


def test_a_host_that_goes_on_refusing_gets_less_and_less_down_to_a_bound():
    turns: Turns[int] = Turns(concurrency=8)
    host = turns._host("a")
    for _ in range(20):
        turns.put("a", 0)
        with turns._changed:
            host.next_at = 0.0  # nobody waits here
            turns._schedule(host)
        assert turns.take() == ("a", 0)
        turns.done("a", answered=True, refused=True)
    assert state(turns) == (politeness.LAST_EASE_SECONDS, 1)


def test_answers_that_were_on_their_way_together_slow_a_host_down_once():
    turns: Turns[int] = Turns(concurrency=8)
    one_turn(turns)
    both_sent, first_answered = threading.Barrier(4), threading.Barrier(4)

    def send():
        turns.take()
        both_sent.wait(20)
        turns.done("a", answered=True, refused=True)
        first_answered.wait(20)

    for _ in range(3):
        turns.put("a", 0)
    threads = [threading.Thread(target=send) for _ in range(3)]
    for thread in threads:
        thread.start()
    both_sent.wait(20)
    first_answered.wait(20)
    for thread in threads:
        thread.join(20)
    assert state(turns) == (politeness.FIRST_EASE_SECONDS, 4)


def test_an_address_that_hangs_keeps_its_place_and_not_the_host(monkeypatch):
    monkeypatch.setattr(politeness, "OVERDUE_SECONDS", 0.2)
    turns: Turns[int] = Turns(concurrency=2)
    one_turn(turns)
    turns.slow_down("a", politeness.LIMITED_SECONDS)  # one at a time, as its robots.txt asks
    for job in (1, 2, 3):
        turns.put("a", job)
    hangs = threading.Event()

    def hang():
        assert turns.take() == ("a", 1)
        hangs.set()
        threading.Event().wait(5)

    threading.Thread(target=hang, daemon=True).start()
    assert hangs.wait(20)
    assert turns.take() == ("a", 2)  # only when the first is overdue
    host = turns._hosts["a"]
    assert len(host.started) == 2
    assert host.free_at(2) == float("inf")  # two at a time are all that is allowed
    turns.done("a", answered=True)
    assert turns.take() == ("a", 3)


def test_a_host_that_never_answered_gets_one_request_at_a_time_however_long_it_takes(monkeypatch):
    monkeypatch.setattr(politeness, "OVERDUE_SECONDS", 0.0)
    turns: Turns[int] = Turns(concurrency=8)
    turns.put("a", 1)
    turns.put("a", 2)
    assert turns.take() == ("a", 1)
    assert turns._hosts["a"].free_at(8) == float("inf")


def test_where_many_addresses_hang_the_others_get_less_time():
    patience = Patience(60.0)
    patience.note("a", 0.3, hung=False)
    for number in range(HANGING):
        assert patience.seconds("a") == 60.0, number
        assert patience.why("a", patience.seconds("a")) == ""
        patience.note("a", 60.0, hung=True)
    assert patience.seconds("a") == SHORTEST_SECONDS
    assert patience.why("a", 60.0) == ""  # it had begun before, and had all its time
    assert patience.why("a", patience.seconds("a")) == " after 10 s, as 3 addresses of a had hung"
    patience.note("a", 8.0, hung=False)
    assert patience.seconds("a") == 40.0  # a slow host's good answers take long
    assert patience.seconds("b") == 60.0


def test_hanging_addresses_are_told_in_the_ledger_and_not_tried_again(downloads, monkeypatch):
    monkeypatch.setattr("tasks.acquire.web.failing_hosts.SHORTEST_SECONDS", 0.5)

    def drips(line, request):
        line.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
        line.drip(b"x" * 100)

    with serving({"/robots.txt": robots(""), "/good.jpg": picture(), "*": drips}) as server:
        urls = [server.url("/good.jpg"), *(server.url(f"/{n}.jpg") for n in range(6))]
        rows = downloads(urls, threads=1, manners={"concurrency": 1}, total_seconds=1.5)
    hung = [row for row in rows.values() if row.status == S.TIMEOUT]
    assert len(hung) == 6
    assert {row.attempts for row in hung} == {1}
    told = [row.reason for row in hung if "had hung" in row.reason]
    assert len(told) == 3
    assert all("after 0 s, as" in reason or "after 1 s, as" in reason for reason in told)
    assert rows[urls[0]].status == S.OK


@pytest.mark.parametrize("code", [429, 503])
def test_a_host_that_refuses_everything_is_left_alone_after_a_while(downloads, monkeypatch, code):
    monkeypatch.setattr(politeness, "LAST_EASE_SECONDS", 0.02)
    monkeypatch.setattr(politeness, "FIRST_EASE_SECONDS", 0.01)
    monkeypatch.setattr("tasks.acquire.web.fetch.BACKOFF_SECONDS", 0.01)
    refusal = lambda line, request: line.answer(code)  # noqa: E731
    with serving({"/robots.txt": robots(""), "*": refusal}) as server:
        rows = downloads([server.url(f"/{n}.jpg") for n in range(120)], manners={"rate": 0.0})
        asked = len(server.requests)
    assert len(rows) == 120
    assert asked <= PATIENCE + 1 + 8  # what was on its way when it was enough, and robots.txt
    assert sum("not asked" in row.reason for row in rows.values()) > 80
