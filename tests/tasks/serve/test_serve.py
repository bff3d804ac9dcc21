"""The server as its clients see it: a real socket, a real uvicorn, a real model."""

import contextlib
import re
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.pictures.decoding import decode
from tasks.serve.listening import allow_connections
from tests.pictures import picture
from tests.tasks.clean.encoded import bombs, encoded, flag, png_of_size
from tests.tasks.serve.running import CARD_TEXT, NAMES, SIDE, parsed, serving

JPEG = {"Content-Type": "image/jpeg"}
CHUNK = 2**19  # more than uvicorn hands over at once


def post(served, data, **headers):
    return requests.post(f"{served.url}/predict", data=data, headers=JPEG | headers, timeout=60)


def upload(served, *pictures, field="file"):
    files = [(field, (f"../{n}.jpg", data, "image/jpeg")) for n, data in enumerate(pictures)]
    return requests.post(f"{served.url}/predict", files=files, timeout=60)


def expected(classifier, data):
    (row,) = classifier.probabilities([decode(data)])
    return dict(zip(NAMES, row.tolist(), strict=True))


def require_prediction(said, classifier, data):
    wanted = expected(classifier, data)
    assert set(said) == {"label", "probability", "probabilities"}
    assert said["probabilities"] == pytest.approx(wanted, abs=1e-5)
    assert said["label"] == max(wanted, key=wanted.get)
    assert said["probability"] == said["probabilities"][said["label"]]


def require_healthy(served, classifier):
    assert requests.get(f"{served.url}/health", timeout=60).json() == {
        "ready": True, "state": "ready", "waiting": 0,
    }  # fmt: skip
    data = picture(1)
    require_prediction(upload(served, data).json(), classifier, data)


def raw(served, sent: bytes, *, half_close=False) -> bytes:
    """Everything that the server answers to these bytes until it ends the connection."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as line:
        line.sendall(sent)
        if half_close:
            line.shutdown(socket.SHUT_WR)
        return everything(line)


def everything(line) -> bytes:
    """What comes until the other side ends the connection."""
    return b"".join(iter(lambda: line.recv(65536), b""))


def head(length, *lines, method="POST", path="/predict", kind="image/jpeg"):
    fields = ["Host: localhost", f"Content-Type: {kind}", *lines]
    fields += [] if length is None else [f"Content-Length: {length}"]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *fields, "", ""]).encode()


def test_a_form_and_a_raw_body_give_what_the_classifier_gives(served, classifier):
    for size in ((48, 40), (300, 17), (1, 1), (SIDE, SIDE)):
        data = picture(3, size)
        for answer in (upload(served, data), post(served, data)):
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "application/json"
            require_prediction(answer.json(), classifier, data)


def test_pictures_that_differ_get_different_answers(classifier):
    rows = [tuple(expected(classifier, picture(n, hue=n)).values()) for n in range(3)]
    assert len({tuple(np.round(row, 3)) for row in rows}) == 3


def test_several_pictures_are_answered_in_their_order_and_bad_ones_with_a_reason(
    served, classifier
):
    first, last = picture(1), picture(2, hue=1)
    answer = upload(served, first, b"hello", first[:-200], last)
    assert answer.status_code == 200
    said = answer.json()
    require_prediction(said[0], classifier, first)
    assert said[1] == {"detail": "undecodable: no known picture format"}
    assert said[2] == {"detail": "truncated: the JPEG breaks off"}
    require_prediction(said[3], classifier, last)


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (b"", "empty: 0 bytes"),
        (b"<html><script>alert(1)</script>", "undecodable: HTML or XML, not a picture"),
        (picture(1)[:-4], "truncated: the JPEG breaks off"),
        (png_of_size(30_000, 30_000), "too many pixels: 30000 x 30000"),
    ],
)
def test_what_is_no_usable_picture_is_422_with_the_reason(served, data, detail):
    for answer in (upload(served, data), post(served, data)):
        assert answer.status_code == 422
        assert answer.json() == {"detail": detail}


def test_bombs_are_turned_down(served, classifier):
    for data in bombs().values():
        assert post(served, data).status_code == 422
    require_healthy(served, classifier)


def test_the_limit_of_pixels_is_the_servers(classifier):
    with serving(classifier, max_pixels=800) as served:
        assert post(served, encoded(flag(), "PNG")).status_code == 200
        assert post(served, picture(1, (40, 21))).status_code == 422


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
        ("multipart/form-data", 400),
        ("multipart/form-data; boundary=", 400),
        ("multipart/form-data; boundary=x", 400),
        ("multipart/form-data; boundary=" + "x" * 5000, 400),
        ("multipart/form-data; charset=nonsense; boundary=é", 400),
    ],
)
def test_a_body_of_another_kind_is_refused(served, classifier, kind, code):
    answer = post(served, picture(1), **{"Content-Type": kind.encode("latin-1")})
    assert answer.status_code == code
    assert set(answer.json()) == {"detail"}
    require_healthy(served, classifier)


def test_a_compressed_body_is_415(served):
    answer = post(served, picture(1), **{"Content-Encoding": "gzip"})
    assert answer.status_code == 415
    assert answer.headers["accept-encoding"] == "identity"


def form(*parts: bytes, end=b"--x--\r\n"):
    body = b"".join(b"--x\r\n" + part + b"\r\n" for part in parts) + end
    return body, {"Content-Type": "multipart/form-data; boundary=x"}


def part(data, name=b'name="file"; filename="a"', *more):
    lines = b"\r\n".join([b"Content-Disposition: form-data; " + name, *more])
    return lines + b"\r\n\r\n" + data


def encoded_form(charset, name):
    body, _ = form(part(picture(1)), part(b"x", b'name="' + name + b'"'))
    return body, {"Content-Type": f"multipart/form-data; charset={charset}; boundary=x"}


def test_a_form_may_say_that_it_is_in_utf8(served, classifier):
    body, headers = encoded_form("UTF-8", b"other")
    require_prediction(post(served, body, **headers).json(), classifier, picture(1))


@pytest.mark.parametrize(
    "sent",
    [
        form(),
        form(part(b"x", b'name="other"; filename="a"')),
        form(part(b"x", b'name="file"')),
        form(part(b"x", b"")),
        form(part(picture(1)), end=b""),
        form(part(picture(1)), part(picture(2)), end=b"--x"),
        form(part(b"x", b'name="file"; filename="a"', b"X: " + b"y" * 100_000)),
        form(*[part(picture(1))] * 17),
        form(*[part(b"x", b'name="f"')] * 17),
        (b"\r" * 500_000, {"Content-Type": "multipart/form-data; boundary=x"}),
        (b"--x\r\n" * 100_000, {"Content-Type": "multipart/form-data; boundary=x"}),
        encoded_form("punycode", b"a" * 900_000),  # a minute's work for Python's decoder
        encoded_form("undefined", b"a"),
    ],
)
def test_a_broken_form_is_400_with_a_reason(served, classifier, sent):
    body, headers = sent
    answer = post(served, body, **headers)
    assert answer.status_code == 400
    assert answer.json()["detail"]
    assert served.computations() == []
    require_healthy(served, classifier)


@given(
    damage=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=6),
    lost=st.integers(0, 300),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_form_is_answered_or_refused(served, damage, lost):
    body, headers = form(part(picture(1)), part(picture(2)))
    body = bytearray(body)
    for position, value in damage:
        body[position % len(body)] = value
    answer = post(served, bytes(body[: len(body) - lost]), **headers)
    assert answer.status_code in (200, 400, 422)
    assert answer.json()


def test_names_of_files_are_not_used(served, classifier, opened):
    data = picture(1)
    name = b'name="file"; filename="../../etc/passwd\\"><script>"'
    body, headers = form(part(data, name))
    answer = post(served, body, **headers)
    require_prediction(answer.json(), classifier, data)
    assert "passwd" not in answer.text
    assert not [path for path in opened if "passwd" in path or "/tmp" in path]


def test_files_stay_in_memory(served, opened):
    assert upload(served, picture(1), b"x" * 900_000).status_code == 200
    assert opened == []


def pieces(size):
    for _ in range(size // 65536):
        yield b"\xff" * 65536


def test_a_large_body_is_refused_while_it_arrives(served, classifier):
    """Announced it is not read at all; unannounced, one chunk beyond the limit at the most."""
    assert post(served, b"\xff" * 50 * 2**20).status_code == 413
    assert served.read_before_answer == [0]
    assert post(served, pieces(50 * 2**20)).status_code == 413
    assert 2**20 < served.read_before_answer[1] <= 2**20 + CHUNK
    body, headers = form(part(b"\xff" * 50 * 2**20))
    assert post(served, iter([body]), **headers).status_code == 413
    assert served.read_before_answer[2] <= 2**20 + CHUNK
    require_healthy(served, classifier)


def test_the_limit_of_bytes_is_exact(classifier):
    data = picture(1)
    with serving(classifier, max_bytes=len(data)) as served:
        assert post(served, data).status_code == 200
        assert post(served, iter([data])).status_code == 200
        assert post(served, data + b"x").status_code == 413
        assert post(served, iter([data, b"x"])).status_code == 413


def test_a_client_that_sends_for_ever_is_cut_off(classifier):
    with serving(classifier, max_bytes=1000, rest_seconds=0.5) as served:
        answer = []
        with socket.create_connection(("127.0.0.1", served.port), timeout=60) as line:
            line.sendall(head(None, "Transfer-Encoding: chunked"))
            listening = threading.Thread(target=lambda: answer.extend(heard(line)))
            listening.start()
            with pytest.raises(OSError):  # noqa: PT012
                while True:
                    line.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            listening.join()
        code, headers, said = parsed(b"".join(answer))
        assert (code, headers["connection"]) == (413, "close")
        assert "1,000 bytes" in said["detail"]
        until(lambda: served.service.taken == 0)


def heard(line):
    """What comes before the connection breaks."""
    with contextlib.suppress(OSError):
        while data := line.recv(65536):
            yield data


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (head(0, "Connection: close") + picture(1), 422),
        (head(100, "Connection: close") + picture(1), 422),
        (head(-5) + picture(1), 400),
        (head("5, 6") + picture(1), 400),
        (head("9" * 19) + picture(1), 413),
        (head("9" * 30) + picture(1), 400),
        (head(5, "Transfer-Encoding: chunked", "Connection: close") + b"0\r\n\r\n", 422),
        (head(None, "Transfer-Encoding: chunked") + b"zz\r\n" + picture(1), 400),
        (head(None, "Transfer-Encoding: gzip") + picture(1), 400),
    ],
)
def test_a_head_that_lies_does_no_harm(served, classifier, sent, code):
    assert parsed(raw(served, sent))[0] == code
    require_healthy(served, classifier)


def test_a_head_without_end_is_cut_off(served, classifier):
    with (  # noqa: PT012
        socket.create_connection(("127.0.0.1", served.port), timeout=60) as line,
        pytest.raises(OSError),
    ):
        line.sendall(b"POST /predict HTTP/1.1\r\n")
        while True:
            line.sendall(b"X: y\r\n" * 10_000)
    require_healthy(served, classifier)


def test_a_body_that_is_cut_off_leaves_nothing_behind(served, classifier):
    data = picture(1)
    for half_close in (True, False):
        with socket.create_connection(("127.0.0.1", served.port), timeout=60) as line:
            line.sendall(head(len(data) + 1000) + data)
            until(lambda: served.service.taken == 1)
            if half_close:
                line.shutdown(socket.SHUT_WR)
        until(lambda: served.service.taken == 0)
    until(lambda: not served.uvicorn.server_state.tasks)
    assert served.computations() == []
    require_healthy(served, classifier)


def until(condition):
    for _ in range(6000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("this never came to be")


def test_a_slow_upload_is_408(classifier):
    with serving(classifier, upload_seconds=0.3, rest_seconds=0.1) as served:
        for fields in (["Content-Length: 1000"], ["Transfer-Encoding: chunked"]):
            code, headers, said = parsed(raw(served, head(None, *fields)))
            assert (code, headers["connection"]) == (408, "close")
            assert "within 0.3 s" in said["detail"]
        kind = "multipart/form-data; boundary=x"
        assert parsed(raw(served, head(1000, kind=kind) + b"--x\r\n"))[0] == 408
        require_healthy(served, classifier)


@pytest.mark.parametrize("sent", [b"", b"POST /predict HTTP/1.1\r\nHos"])
def test_a_connection_without_a_request_is_closed(classifier, sent):
    with serving(classifier, head_seconds=0.3) as served:
        assert raw(served, sent) == b""
        health = head(None, method="GET", path="/health")
        # The second request on a connection must not dawdle either.
        assert parsed(raw(served, health + sent))[0] == 200


def test_a_client_that_never_reads_is_cut_off(classifier):
    with serving(classifier, answer_seconds=0.3) as served, contextlib.ExitStack() as lines:
        asked = head(None, method="GET", path="/openapi.json") * 300
        for _ in range(8):
            line = lines.enter_context(socket.create_connection(("127.0.0.1", served.port)))
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            line.settimeout(60)
            line.sendall(asked)
        until(lambda: served.read_before_answer)
        until(lambda: not served.uvicorn.server_state.connections)
        require_healthy(served, classifier)


def test_a_request_that_came_with_the_one_before_is_not_cut_off(classifier):
    sent = head(None, method="GET", path="/health") + head(len(picture(1)), "Connection: close")
    with (
        serving(classifier, head_seconds=0.3) as served,
        socket.create_connection(("127.0.0.1", served.port), timeout=60) as line,
    ):
        served.gate.free.clear()
        line.sendall(sent + picture(1))
        until(lambda: served.computations() == [1])
        # A later connection, whose time for a head is over: so is what the first one ever had.
        assert raw(served, b"") == b""
        served.gate.free.set()
        answers = b"".join(heard(line))
    assert answers.count(b"HTTP/1.1 200 OK") == 2


def test_wrong_methods_and_addresses(served, classifier):
    for method, path, code in (
        ("GET", "/predict", 405),
        ("PUT", "/predict", 405),
        ("POST", "/health", 405),
        ("GET", "/nothing", 404),
        ("GET", "/../etc/passwd", 404),
        ("GET", "/static-offline-docs/..%2f..%2fcore.py", 404),
    ):
        answer = parsed(raw(served, head(0, "Connection: close", method=method, path=path)))
        assert answer[0] == code, (method, path)
        assert code != 405 or answer[1]["allow"]
    assert parsed(raw(served, b"SSH-2.0-OpenSSH\r\n\r\n"))[0] == 400
    require_healthy(served, classifier)


def test_an_answer_before_the_body_ended_is_heard(served):
    """The client sends all of its body before it listens, as most do."""
    sent = head(3 * 2**20, method="PUT") + b"x" * 3 * 2**20
    code, headers, _ = parsed(raw(served, sent))
    assert (code, headers["connection"]) == (405, "close")


def test_expecting_clients_are_told_before_they_send(classifier):
    with serving(classifier, max_bytes=1000, rest_seconds=0.2) as served:
        answer = raw(served, head(50 * 2**20, "Expect: 100-continue"))
        assert parsed(answer)[0] == 413
        answer = raw(served, head(0, "Connection: close", "Expect: 100-continue"))
        assert parsed(answer)[0] in (100, 422)


def test_requests_that_come_during_a_computation_share_the_next(served, classifier):
    served.gate.free.clear()
    pictures = [picture(n, hue=n) for n in range(21)]
    with ThreadPoolExecutor(21) as clients:
        first = clients.submit(upload, served, pictures[0])
        until(lambda: served.computations() == [1])
        rest = [clients.submit(upload, served, data) for data in pictures[1:]]
        until(lambda: served.service.batches.waiting.qsize() == 20)
        # The event loop is free although the network computes.
        health = requests.get(f"{served.url}/health", timeout=60)
        assert health.json() == {"ready": True, "state": "ready", "waiting": 21}
        served.gate.free.set()
        for data, answer in zip(pictures, [first, *rest], strict=True):
            require_prediction(answer.result().json(), classifier, data)
    assert served.computations() == [1, 20]


def test_a_computation_takes_no_more_than_its_limit(classifier):
    with serving(classifier, batch=8) as served, ThreadPoolExecutor(18) as clients:
        served.gate.free.clear()
        answers = [clients.submit(upload, served, picture(0))]
        until(lambda: served.computations() == [1])
        answers += [clients.submit(upload, served, picture(n)) for n in range(17)]
        until(lambda: served.service.batches.waiting.qsize() == 17)
        served.gate.free.set()
        assert {answer.result().status_code for answer in answers} == {200}
        assert served.computations() == [1, 8, 8, 1]


def test_a_picture_that_the_network_cannot_bear_fails_alone(served, classifier):
    served.gate.free.clear()
    good = [picture(n) for n in range(6)]
    with ThreadPoolExecutor(8) as clients:
        first = clients.submit(upload, served, good[0])
        until(lambda: served.computations() == [1])
        bad = clients.submit(upload, served, encoded(flag().point(lambda _: 0), "PNG"))
        rest = [clients.submit(upload, served, data) for data in good[1:]]
        until(lambda: served.service.batches.waiting.qsize() == 6)
        served.gate.free.set()
        for data, answer in zip(good, [first, *rest], strict=True):
            require_prediction(answer.result().json(), classifier, data)
        assert bad.result().status_code == 500
        assert bad.result().json() == {"detail": "the model failed on this picture"}
    require_healthy(served, classifier)


def test_more_requests_than_places_are_503(classifier):
    with serving(classifier, waiting=4) as served, ThreadPoolExecutor(4) as clients:
        served.gate.free.clear()
        taken = [clients.submit(upload, served, picture(n)) for n in range(4)]
        until(lambda: served.service.taken == 4)
        refused = upload(served, picture(9))
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        health = requests.get(f"{served.url}/health", timeout=60)
        assert (health.status_code, health.json()) == (
            503,
            {"ready": False, "state": "busy", "waiting": 4},
        )
        assert int(health.headers["retry-after"]) > 0
        served.gate.free.set()
        assert {answer.result().status_code for answer in taken} == {200}
        require_healthy(served, classifier)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]", "10.1.2.3", "LOCALHOST"])
def test_an_address_or_localhost_is_a_name_of_this_server(served, name):
    health = head(None, "Connection: close", method="GET", path="/health")
    for host in (name, f"{name}:8000"):
        asked = health.replace(b"Host: localhost", f"Host: {host}".encode())
        assert parsed(raw(served, asked))[0] == 200


@pytest.mark.parametrize(
    "name", ["elsewhere.example", "localhost.evil.example", "", "1.2.3.4.example"]
)
@pytest.mark.parametrize("path", ["/health", "/predict", "/card", "/docs"])
def test_another_name_is_421_and_reads_nothing(served, name, path):
    before = len(served.computations())
    asked = head(3, "Connection: close", path=path).replace(b"localhost", name.encode()) + b"abc"
    code, headers, said = parsed(raw(served, asked))
    assert code == 421
    assert "access-control-allow-origin" not in headers
    assert "--allow-host" in said["detail"]
    assert len(served.computations()) == before


def test_a_page_from_elsewhere_is_not_let_read_the_answers(served):
    answer = requests.get(
        f"{served.url}/health", headers={"Origin": "http://elsewhere.example"}, timeout=60
    )
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_an_upload_slower_than_the_slowest_is_408_however_long_it_may_take(classifier):
    with serving(classifier, slowest=10_000, slow_seconds=0.5, rest_seconds=0.1) as served:
        data = picture(1, (200, 200))
        with socket.create_connection(("127.0.0.1", served.port), timeout=60) as line:
            line.sendall(head(10**6))
            started = time.monotonic()
            with contextlib.suppress(ConnectionError):
                while time.monotonic() - started < 20:
                    line.sendall(b"x" * 100)
                    time.sleep(0.05)
                    line.settimeout(0)
                    try:
                        answer = line.recv(65536)
                        break
                    except BlockingIOError:
                        line.settimeout(60)
            assert time.monotonic() - started < 10
        assert parsed(answer)[0] == 408
        require_prediction(post(served, data).json(), classifier, data)


def test_slow_uploads_keep_nobody_waiting(classifier):
    with serving(classifier, slow_seconds=60.0) as served, contextlib.ExitStack() as stack:
        slow = [
            stack.enter_context(socket.create_connection(("127.0.0.1", served.port), timeout=60))
            for _ in range(200)
        ]
        for line in slow:
            line.sendall(head(10**6) + b"\xff\xd8\xff")
        until(lambda: served.service.taken == 200)
        assert requests.get(f"{served.url}/health", timeout=60).json()["ready"]
        with ThreadPoolExecutor(8) as clients:
            data = [picture(n, (60, 40), hue=n) for n in range(8)]
            answers = list(clients.map(lambda one: upload(served, one), data))
        for sent, answer in zip(data, answers, strict=True):
            require_prediction(answer.json(), classifier, sent)
        assert served.service.taken == 200
    assert served.service.room.held == 0


def test_a_thousand_clients_at_once_are_all_answered(classifier):
    allow_connections(1000)
    with serving(classifier, working=8) as served, contextlib.ExitStack() as stack:
        data = picture(3, (60, 40))
        served.gate.free.clear()
        lines = [
            stack.enter_context(socket.create_connection(("127.0.0.1", served.port), timeout=60))
            for _ in range(1000)
        ]
        for line in lines:
            line.sendall(head(len(data), "Connection: close") + data)
        until(lambda: served.service.taken == 1000)
        assert requests.get(f"{served.url}/health", timeout=60).json()["ready"]
        served.gate.free.set()
        answers = [parsed(everything(line)) for line in lines]
        assert Counter(code for code, _, _ in answers) == {200: 1000}
        require_healthy(served, classifier)


def test_who_waits_too_long_for_a_turn_is_put_off(classifier):
    with (
        serving(classifier, working=1, queue_seconds=0.3) as served,
        ThreadPoolExecutor(2) as clients,
    ):
        served.gate.free.clear()
        first = clients.submit(upload, served, picture(1))
        until(lambda: len(served.computations()) == 1)
        answer = upload(served, picture(2))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        served.gate.free.set()
        assert first.result().status_code == 200
        require_healthy(served, classifier)


def test_when_too_much_is_being_sent_small_bodies_are_still_taken(classifier):
    with serving(classifier, held_bytes=400_000, small_bytes=50_000) as served:
        with socket.create_connection(("127.0.0.1", served.port), timeout=60) as line:
            line.sendall(head(10**6) + b"x" * 390_000)
            until(lambda: served.service.room.held >= 390_000)
            refused = post(served, b"y" * 200_000)
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
            small = picture(1)
            require_prediction(post(served, small).json(), classifier, small)
        until(lambda: served.service.taken == 0)
        require_healthy(served, classifier)
    assert served.service.room.held == 0


def test_thirty_two_clients_of_every_kind(served, classifier):
    good = [picture(n, (50 + n, 40), hue=n) for n in range(8)]

    def one(number):
        kind, data = number % 6, good[number % 8]
        if kind in (0, 1):
            answer = (upload, post)[kind](served, data)
            require_prediction(answer.json(), classifier, data)
            return kind, answer.status_code
        if kind == 2:
            return kind, upload(served, b"no picture at all").status_code
        if kind == 3:
            body = b"\xff" * 50 * 2**20
            return kind, post(served, body if number % 4 == 1 else pieces(len(body))).status_code
        if kind == 4:
            with socket.create_connection(("127.0.0.1", served.port), timeout=60) as line:
                line.sendall(head(len(data)) + data[: len(data) // 2])
            return kind, 0
        return kind, requests.put(f"{served.url}/predict", data=data, timeout=60).status_code

    with ThreadPoolExecutor(32) as clients:
        said = list(clients.map(one, range(96)))
    ends = ((0, 200), (1, 200), (2, 422), (3, 413), (4, 0), (5, 405))
    assert Counter(said) == dict.fromkeys(ends, 16)
    until(lambda: not served.uvicorn.server_state.tasks)
    assert max(served.read_before_answer) <= 2**20 + CHUNK
    assert sum(served.computations()) == 32
    assert served.service.taken == 0
    require_healthy(served, classifier)


def test_the_card(served):
    answer = requests.get(f"{served.url}/card", timeout=60)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.content.decode() == CARD_TEXT
    answer = requests.get(f"{served.url}/card", headers={"Accept": "application/json"}, timeout=60)
    assert answer.json() == {"classes": NAMES, "side": SIDE, "card": CARD_TEXT}


def test_the_page_needs_nothing_from_elsewhere(served):
    answer = requests.get(served.url, timeout=60)
    assert answer.url == f"{served.url}/docs"
    assert answer.status_code == 200
    loaded = re.findall(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)""", answer.text)
    assert len(loaded) >= 4
    for address in loaded:
        assert re.match(r"/\w", address), address
        assert requests.get(served.url + address, timeout=60).ok


def test_the_description_names_every_code_that_the_tests_above_saw(served):
    paths = requests.get(f"{served.url}/openapi.json", timeout=60).json()
    said = {path: set(next(iter(methods.values()))["responses"]) for path, methods in
            paths["paths"].items()}  # fmt: skip
    assert said == {
        "/predict": {"200", "400", "408", "413", "415", "421", "422", "500", "503"},
        "/health": {"200", "503"},
        "/card": {"200"},
    }
    predict = paths["paths"]["/predict"]["post"]
    assert set(predict["requestBody"]["content"]) == {"multipart/form-data", "image/*"}
    for code, response in predict["responses"].items():
        schema = response["content"]["application/json"]["schema"]
        assert code == "200" or schema["$ref"].endswith("/Refusal")
    assert {"405", "404"} <= set(paths["info"]["description"].replace(",", " ").split())
