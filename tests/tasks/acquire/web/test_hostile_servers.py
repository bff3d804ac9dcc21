import random
import socket
import time

import pytest

from storage.statuses import DownloadStatus as S
from tests.tasks.acquire.web import hostile
from tests.tasks.acquire.web.hostile import body, in_turn, jpeg, picture, redirect, serving


def html(line, request):
    line.answer(200, b"<!DOCTYPE html><title>Gone</title>")


LIMITED = [lambda line, request: line.answer(429, Retry_After="1"), picture(1)]
FAILING = [*[lambda line, request: line.answer(500)] * 2, picture(2)]

EXPECTED = {
    "/picture": (S.OK, picture(0)),
    "/missing": (S.NOT_FOUND, lambda line, request: line.answer(404, b"gone")),
    "/gone": (S.NOT_FOUND, lambda line, request: line.answer(410)),
    "/secret": (S.FORBIDDEN, lambda line, request: line.answer(403, b"no")),
    "/teapot": (S.REFUSED, lambda line, request: line.answer(418)),
    "/broken": (S.SERVER_ERROR, lambda line, request: line.answer(503, b"sorry")),
    "/never-ending": (S.TOO_LARGE, hostile.never_ending),
    "/drip": (S.TIMEOUT, hostile.one_byte_at_a_time),
    "/headers": (S.TIMEOUT, hostile.headers_without_end),
    "/chunk-size": (S.INCOMPLETE, hostile.endless_chunk_size),
    "/10-gb": (S.TOO_LARGE, hostile.ten_gigabytes),
    "/loop": (S.TOO_MANY_REDIRECTS, redirect("/loop")),
    "/metadata": (S.PRIVATE_ADDRESS, redirect("http://169.254.169.254/latest/meta-data")),
    "/file": (S.BAD_URL, redirect("file:///etc/passwd")),
    "/moved": (S.OK, redirect("picture", 301)),
    "/limited-once": (S.OK, in_turn(*LIMITED)),
    "/failing-twice": (S.OK, in_turn(*FAILING)),
    "/reset": (S.INCOMPLETE, hostile.broken_off),
    "/reset-once": (S.OK, in_turn(hostile.broken_off, picture(3))),
    "/too-much": (S.INCOMPLETE, hostile.too_much_promised),
    "/too-little": (S.TRUNCATED, hostile.too_little_promised),
    "/bomb": (S.TOO_LARGE, hostile.gzip_bomb()),
    "/bad-gzip": (S.NOT_AN_IMAGE, body(b"no gzip", Content_Encoding="gzip")),
    "/brotli": (S.NOT_AN_IMAGE, body(b"brotli", Content_Encoding="br")),
    "/html": (S.NOT_AN_IMAGE, html),
    "/empty": (S.EMPTY, body(b"")),
    "/half": (S.TRUNCATED, body(jpeg(4)[:800])),
    "/huge": (S.TOO_MANY_PIXELS, body(b"P6\n10000 10001\n255\n" + bytes(3000))),
    "/no-http": (S.NOT_HTTP, hostile.no_http),
    "/noai": (S.NO_AI, picture(5, X_Robots_Tag="noindex, noai")),
    "/noai-others": (S.OK, picture(6, X_Robots_Tag="otherbot: noai, noimageai")),
    "/noimageai": (S.NO_AI, picture(7, X_Robots_Tag="darkroom: noimageai")),
}


@pytest.fixture(scope="module")
def server():
    with serving({path: behaviour for path, (_, behaviour) in EXPECTED.items()}) as running:
        yield running


def test_every_answer_ends_as_the_right_row(server, downloads):
    urls = {server.url(path): status for path, (status, _) in EXPECTED.items()}
    began = time.monotonic()
    rows = downloads(urls, longest_wait_seconds=5.0)
    assert {url: rows[url].status for url in urls} == urls
    assert time.monotonic() - began < 25
    assert downloads.advanced == len(urls)
    assert all(row.reason for row in rows.values() if row.status != S.OK)
    assert all(downloads.images.has(r.image, r.bytes) for r in rows.values() if r.status == S.OK)
    assert not any(row.image for row in rows.values() if row.status != S.OK)


ESCAPES = "\x1b[2J\x1b]0;owned\x07\x9b31m"


@pytest.mark.parametrize(
    "behaviour",
    [
        lambda line, request: line.socket.sendall(
            f"HTTP/1.1 404 {ESCAPES}gone\r\nContent-Length: 0\r\n\r\n".encode("latin-1")
        ),
        body(jpeg(3)[:800], Content_Type=f"image/jpeg{ESCAPES}"),
        picture(4, X_Robots_Tag=f"noai {ESCAPES}, noai"),
        lambda line, request: line.answer(302, Location=f"ftp://{ESCAPES}/"),
    ],
)
def test_what_a_server_says_moves_no_cursor(downloads, behaviour):
    with serving({"/x": behaviour}) as server:
        row = downloads.one(server.url("/x"))
    assert row.reason
    assert row.reason.isprintable()


def test_a_body_without_end_is_cut_at_the_limit(downloads):
    with serving({"/x": hostile.never_ending}) as server:
        row = downloads.one(server.url("/x"))
        # What is beyond the limit had filled the buffers of two sockets.
        assert (row.status, row.attempts) == (S.TOO_LARGE, 1)
        assert server.poured < 32 * 2**20


def test_a_gzip_bomb_needs_no_more_memory_than_a_picture_may(downloads):
    import tracemalloc

    downloads.one("http://127.0.0.1:1/")  # imports count for nothing
    with serving({"/x": hostile.gzip_bomb()}) as server:
        tracemalloc.start()
        try:
            row = downloads.one(server.url("/x"), max_file_bytes=4 * 2**20)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert row.status == S.TOO_LARGE
    assert peak < 24 * 2**20


def test_attempts_are_counted_and_end(downloads):
    with serving({"/x": lambda line, request: line.answer(500)}) as server:
        row = downloads.one(server.url("/x"), attempts=3)
        assert (row.status, row.code, row.attempts) == (S.SERVER_ERROR, 500, 3)
        assert server.paths() == ["/x"] * 3


def test_retry_after_is_honoured_and_too_long_a_wait_refused(downloads):
    soon = in_turn(lambda line, request: line.answer(429, Retry_After="1"), picture())
    late = in_turn(lambda line, request: line.answer(503, Retry_After="86400"), picture())
    with serving({"/soon": soon, "/late": late}) as server:
        row = downloads.one(server.url("/soon"), longest_wait_seconds=5.0)
        assert (row.status, row.attempts) == (S.OK, 2)
        first, second = [request.at for request in server.requests if request.path == "/soon"]
        assert second - first >= 1.0
        row = downloads.one(server.url("/late"), longest_wait_seconds=5.0)
        assert (row.status, row.attempts) == (S.SERVER_ERROR, 1)


@pytest.mark.parametrize(
    "text",
    ["soon", "Mon, 01 Jan 2024 00:00:00 +99999999999999999999",
     "Mon, 99999999999999999999 Jan 2024 00:00:00 GMT"],
)  # fmt: skip
def test_a_retry_after_that_is_no_time_ends_no_run(downloads, text):
    odd = in_turn(lambda line, request: line.answer(503, Retry_After=text), picture())
    with serving({"/odd": odd, "*": picture(1)}) as server:
        rows = downloads([server.url("/odd"), server.url("/x")])
        assert [row.status for row in rows.values()] == [S.OK] * 2
        assert [row.attempts for row in rows.values()] == [2, 1]


def test_a_host_that_never_answers_costs_little_whatever_the_list(downloads):
    with hostile.deaf() as url, serving({"*": picture()}) as server:
        dead = [f"{url}?{number}" for number in range(200)]
        alive = [server.url(f"/{number}.jpg") for number in range(50)]
        began = time.monotonic()
        rows = downloads(dead + alive, attempts=2)
        assert time.monotonic() - began < 15
    assert {rows[url].status for url in dead} == {S.TIMEOUT}
    assert {rows[url].status for url in alive} == {S.OK}


def test_nothing_listens_and_no_such_host(downloads):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/x.jpg"
        assert downloads.one(url, attempts=1).status == S.CONNECTION
    assert downloads.one("http://no-such-host.invalid/x.jpg", attempts=1).status == S.DNS


@pytest.mark.parametrize(
    "url",
    ["", "no address", "ftp://example.com/x.jpg", "http://", "http://[::1/x", "http:///x.jpg",
     "http://example.com:99999/x.jpg", "http://example.com:0/", f"http://{'a' * 64}.example/x",
     "http://.example./x.jpg", "javascript:alert(1)", "http://example.com/" + "x" * 9000],
)  # fmt: skip
def test_what_is_no_address_is_a_row(downloads, url):
    row = downloads.one(url)
    assert (row.status, row.code) == (S.BAD_URL, 0)
    assert row.reason


def test_addresses_with_blanks_and_other_alphabets_are_quoted(downloads):
    with serving({"/a%20b.jpg": picture(1), "/%C3%A9.jpg": picture(2)}) as server:
        rows = downloads([server.url("/a b.jpg"), server.url("/é.jpg"), server.url("/%C3%A9.jpg")])
        assert [row.status for row in rows.values()] == [S.OK] * 3


def test_tls_failures_are_rows(downloads, certificates, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.bundle))
    valid = {"tls": certificates.contexts["valid"]}
    expired = {"tls": certificates.contexts["expired"]}
    with serving({"/x": picture()}, **valid) as good, serving({"/x": picture()}, **expired) as bad:
        rows = downloads([good.url("/x"), bad.url("/x")])
        assert rows[good.url("/x")].status == S.OK
        assert rows[bad.url("/x")].status == S.TLS
        assert "expired" in rows[bad.url("/x")].reason
        assert not bad.requests
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
        assert downloads.one(good.url("/x")).status == S.TLS


def test_tls_is_bounded_like_everything_else(downloads, certificates, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.bundle))
    behaviours = {"/drip": hostile.one_byte_at_a_time, "/pour": hostile.never_ending}
    with serving(behaviours, tls=certificates.contexts["valid"]) as server:
        rows = downloads([server.url("/drip"), server.url("/pour")], attempts=1)
    assert [row.status for row in rows.values()] == [S.TIMEOUT, S.TOO_LARGE]
    with hostile.deaf() as url:
        assert downloads.one(url.replace("http:", "https:"), attempts=1).status == S.TIMEOUT


def test_garbage_is_a_row(downloads):
    data = jpeg()
    whole = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Encoding: gzip\r\n"
    whole += b"Transfer-Encoding: chunked\r\nLocation: http://[::/\r\nETag: y\r\n\r\n"
    whole += b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data)

    def garbage(line, request):
        rng = random.Random(request.path)
        bad = bytearray(whole)
        for _ in range(rng.choice([1, 3, 20])):
            bad[rng.randrange(rng.choice([20, 150, len(bad)]))] = rng.randrange(256)
        if rng.random() < 0.3:
            bad[9:12] = b"%d" % rng.choice([204, 206, 301, 304, 429, 500, 999])
        line.socket.sendall(bytes(bad[: rng.choice([5, 60, 170, len(bad)])]))
        return False

    with serving({"*": garbage, "/robots.txt": lambda line, r: line.answer(404)}) as server:
        urls = [server.url(f"/{number}") for number in range(300)]
        rows = downloads(urls, attempts=1, manners={"rate": 0.0})
    assert len(rows) == 300
    assert len({row.status for row in rows.values()}) > 3


def test_connections_are_reused(downloads):
    with serving({"*": picture()}) as server:
        rows = downloads([server.url(f"/{n}.jpg") for n in range(40)], manners={"concurrency": 2})
        assert {row.status for row in rows.values()} == {S.OK}
        assert server.connections <= 3


def test_an_interrupt_keeps_what_is_finished(downloads):
    def interrupt(count):
        raise KeyboardInterrupt

    downloads._advance = interrupt
    with serving({"*": hostile.slowly(0.1, picture())}) as server:
        urls = [server.url(f"/{number}.jpg") for number in range(300)]
        with pytest.raises(KeyboardInterrupt):
            downloads(urls)
        asked = len(server.paths())
        time.sleep(0.5)
        assert len(server.paths()) == asked < 100
        from storage.ledger import Ledger

        with Ledger.opened(downloads.path) as ledger:
            assert 0 < len(ledger.rows(urls)) <= asked


def test_no_room_on_the_disk_ends_the_run(downloads, monkeypatch):
    from storage.errors import StorageFull
    from storage.images import ImageStore

    def full(self, data):
        raise StorageFull("no space left")

    monkeypatch.setattr(ImageStore, "add", full)
    with serving({"*": picture()}) as server, pytest.raises(StorageFull):
        downloads([server.url(f"/{number}.jpg") for number in range(20)])
