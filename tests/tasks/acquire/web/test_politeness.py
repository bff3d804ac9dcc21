import random
import threading
import time
from collections import defaultdict

import pytest

from storage.statuses import DownloadStatus as S
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
