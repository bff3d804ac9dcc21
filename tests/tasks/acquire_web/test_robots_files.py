import pytest

from storage.download_statuses import DownloadStatus as S
from tasks.acquire.web import robots
from tests.tasks.acquire_web import hostile
from tests.tasks.acquire_web.hostile import body, in_turn, picture, redirect, serving

FORBIDS = b"User-agent: Darkroom\nDisallow: /private\n\nUser-agent: *\nDisallow: /\n"


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


def test_only_so_many_sites_are_remembered():
    sites = robots.Sites()
    for number in range(robots.SITES_KEPT + 10):
        sites.put(f"http://{number}", robots.ALL_ALLOWED)
    assert sites.get("http://5") is None
    assert sites.get(f"http://{robots.SITES_KEPT}") is robots.ALL_ALLOWED


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("Crawl-delay: 2", 2.0), ("Request-rate: 2/1s", 0.5), ("Request-rate: 1/5m", 30.0), ("", 0.0)],
)
def test_seconds_between_requests(text, seconds):
    rules = robots.parsed(f"User-agent: *\nDisallow: /x\n{text}\n".encode())
    assert rules.seconds_between_requests == seconds
