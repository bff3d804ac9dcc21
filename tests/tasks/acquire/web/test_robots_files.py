import contextlib

import pytest

from storage.statuses import DownloadStatus as S
from tasks.acquire.web import robots
from tests.tasks.acquire.web import hostile
from tests.tasks.acquire.web.hostile import body, in_turn, picture, redirect, serving

FORBIDS = b"User-agent: Darkroom\nDisallow: /private\n\nUser-agent: *\nDisallow: /\n"
MANY_DIGITS = "9" * 400


def test_robots_txt_is_obeyed_and_fetched_once(downloads):
    with serving({"/robots.txt": body(FORBIDS), "*": picture()}) as server:
        urls = [server.url(f"/{where}/{n}.jpg") for where in ("private", "open") for n in range(9)]
        rows = downloads(urls)
        assert [rows[url].status for url in urls] == [S.ROBOTS] * 9 + [S.OK] * 9
        assert [r.path for r in server.requests].count("/robots.txt") == 1
        assert all("/open/" in path for path in server.paths())


def test_disobeying_is_a_parameter(downloads):
    with serving({"/robots.txt": body(FORBIDS), "*": picture()}) as server:
        row = downloads.one(server.url("/private/x.jpg"), manners={"obey_robots": False})
        assert row.status == S.OK
        assert [r.path for r in server.requests] == ["/private/x.jpg"]


def test_a_site_knows_who_asks(downloads):
    with serving({"*": picture()}) as server:
        downloads.one(server.url("/x.jpg"))
        assert ["Darkroom" in r.headers["user-agent"] for r in server.requests] == [True, True]


@pytest.mark.parametrize(
    "behaviour",
    [
        lambda line, request: line.answer(404),
        lambda line, request: line.answer(403),
        redirect("/robots.txt"),
        redirect("http://169.254.169.254/robots.txt"),
        redirect("ftp://nowhere/"),
        picture(),
        body(b"<html><a href='http://x'>hello</a></html>"),
        body(b""),
        body(b"\xff\xfe" * 900_000),
        hostile.ten_gigabytes,
        hostile.never_ending,
        hostile.gzip_bomb(50 * 2**20),
        hostile.too_much_promised,
        in_turn(lambda line, request: line.answer(503), body(b"User-agent: *\nDisallow:\n")),
    ],
)  # fmt: skip
def test_what_is_no_robots_txt_forbids_nothing(downloads, behaviour):
    with serving({"/robots.txt": behaviour, "/x.jpg": picture()}) as server:
        assert downloads.one(server.url("/x.jpg")).status == S.OK


def test_a_rate_of_many_digits_ends_no_run(downloads):
    text = f"User-agent: *\nDisallow: /private\nRequest-rate: 1/{MANY_DIGITS}s\n"
    with serving({"/robots.txt": body(text.encode()), "*": picture()}) as server:
        rows = downloads([server.url("/open/x.jpg"), server.url("/private/x.jpg")])
        assert [row.status for row in rows.values()] == [S.OK, S.ROBOTS]
        assert len(server.requests) == 2


def test_a_robots_txt_elsewhere_counts(downloads):
    behaviours = {"/robots.txt": redirect("/other.txt"), "/other.txt": body(FORBIDS)}
    with serving({**behaviours, "*": picture()}) as server:
        assert downloads.one(server.url("/private/x.jpg")).status == S.ROBOTS


@pytest.mark.parametrize(
    ("behaviour", "status"),
    [(lambda line, request: line.answer(500), S.SERVER_ERROR),
     (hostile.one_byte_at_a_time, S.TIMEOUT)],
)  # fmt: skip
def test_a_site_whose_rules_cannot_be_had_is_left_alone(downloads, behaviour, status):
    with serving({"/robots.txt": behaviour, "*": picture()}) as server:
        rows = downloads([server.url(f"/{n}.jpg") for n in range(5)], attempts=2)
        assert {row.status for row in rows.values()} == {status}
        assert all(row.status.may_succeed_later for row in rows.values())
        assert not server.paths()


def test_redirects_to_another_site_ask_that_site(downloads):
    with serving({"/robots.txt": body(FORBIDS), "*": picture()}) as other:
        target = other.url("/private/x.jpg")
        with serving({"/x.jpg": redirect(target)}) as server:
            assert downloads.one(server.url("/x.jpg")).status == S.ROBOTS
            assert not other.paths()


@pytest.mark.parametrize(
    ("line", "directives"),
    [("noai", {"noai"}), ("NoIndex, NOAI", {"noindex", "noai"}), ("bot: noai, noimageai", set()),
     ("Darkroom: noai", {"noai"}), ("unavailable_after: 25 Jun 2010 15:00:00 PST, noai",
     {"unavailable_after", "noai"}), ("", {""})],
)  # fmt: skip
def test_directives_for_this_robot(line, directives):
    assert robots._directives_for_us(line) == directives


def test_only_so_many_sites_are_remembered_besides_those_that_are_needed():
    sites = robots.Sites(lambda site: site.endswith("7"))
    for number in range(robots.SITES_KEPT + 10):
        sites.put(f"http://{number}", robots.ALL_ALLOWED)
    assert sites.get("http://5") is None
    assert sites.get("http://7") is robots.ALL_ALLOWED
    assert sites.get(f"http://{robots.SITES_KEPT}") is robots.ALL_ALLOWED


def test_more_sites_than_are_remembered_are_asked_for_their_rules_once(downloads, monkeypatch):
    monkeypatch.setattr(robots, "SITES_KEPT", 3)
    with contextlib.ExitStack() as stack:
        behaviours = {"/robots.txt": body(FORBIDS), "*": picture()}
        servers = [stack.enter_context(serving(behaviours)) for _ in range(20)]
        urls = [server.url(f"/open/{n}.jpg") for n in range(3) for server in servers]
        rows = downloads(urls, manners={"rate": 0.0})
        assert [rows[url].status for url in urls] == [S.OK] * 60
        assert [len(server.requests) for server in servers] == [4] * 20


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("Crawl-delay: 2", 2.0), ("Request-rate: 2/1s", 0.5), ("Request-rate: 1/5m", 30.0), ("", 0.0),
     (f"Request-rate: 1/{MANY_DIGITS}s", 0.0), (f"Request-rate: {MANY_DIGITS}/1s", 0.0)],
)  # fmt: skip
def test_seconds_between_requests(text, seconds):
    rules = robots.parsed(f"User-agent: *\nDisallow: /x\n{text}\n".encode())
    assert rules.seconds_between_requests == seconds
