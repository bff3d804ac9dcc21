"""A real web server that does what servers on old URL lists do."""

import contextlib
import gzip
import socket
import socketserver
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np

LONG = 30.0


def jpeg(number: int = 0, side: int = 48) -> bytes:
    pixels = np.random.default_rng(number).integers(0, 255, (side, side, 3), np.uint8)
    return cv2.imencode(".jpg", pixels)[1].tobytes()


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]
    at: float


@dataclass
class Line:
    """One connection of the server."""

    socket: socket.socket
    server: "Server"

    def answer(self, code=200, body=b"", **headers):
        lines = {"Content-Length": len(body), "Content-Type": "image/jpeg"}
        lines |= {name.replace("_", "-"): value for name, value in headers.items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value is not None)
        self.socket.sendall(f"HTTP/1.1 {code} Whatever\r\n{head}\r\n".encode("latin-1") + body)

    def pour(self, block):
        """Send the same block until the other side has had enough."""
        while not self.server.closing.is_set():
            self.socket.sendall(block)
            self.server.poured += len(block)

    def drip(self, data):
        for byte in data:
            self.socket.sendall(bytes([byte]))
            if self.server.closing.wait(0.2):
                return

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


Behaviour = Callable[[Line, Request], object]


class _Handler(socketserver.BaseRequestHandler):
    def handle(self):
        line = Line(self.request, self.server.owner)
        buffer = b""
        with contextlib.suppress(OSError):
            while not line.server.closing.is_set():
                while b"\r\n\r\n" not in buffer:
                    data = self.request.recv(65536)
                    if not data:
                        return
                    buffer += data
                head, _, buffer = buffer.partition(b"\r\n\r\n")
                if line.server.respond(line, head.decode("latin-1")) is False:
                    return


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    allow_reuse_address = True

    def get_request(self):
        connection, address = super().get_request()
        self.owner.connections += 1
        context = self.owner.tls
        if context is not None:
            connection.settimeout(5)
            connection = context.wrap_socket(connection, server_side=True)
        return connection, address

    def handle_error(self, request, client_address):
        pass


@dataclass
class Server:
    """Answers by path; what has no behaviour is a 404."""

    behaviours: dict[str, Behaviour]
    address: str = "127.0.0.1"
    tls: ssl.SSLContext | None = None
    requests: list[Request] = field(default_factory=list)
    poured: int = 0
    connections: int = 0
    busiest: int = 0
    closing: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self):
        self._active = 0
        self._lock = threading.Lock()
        self._listener = _Listener((self.address, 0), _Handler)
        self._listener.owner = self
        self.host = f"{self.address}:{self._listener.server_address[1]}"
        threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True).start()

    def url(self, path: str) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}{path}"

    def respond(self, line: Line, head: str):
        first, *rest = head.split("\r\n")
        headers = {
            name.lower(): value.strip() for name, _, value in (x.partition(":") for x in rest)
        }
        request = Request(first.split(" ")[1], headers, time.monotonic())
        with self._lock:
            self.requests.append(request)
            self._active += 1
            self.busiest = max(self.busiest, self._active)
        try:
            found = self.behaviours.get(request.path.partition("?")[0])
            found = found or self.behaviours.get("*") or (lambda line, request: line.answer(404))
            return found(line, request)
        finally:
            with self._lock:
                self._active -= 1

    def paths(self) -> list[str]:
        """What was asked for, robots.txt aside."""
        return [r.path for r in self.requests if r.path != "/robots.txt"]

    def close(self):
        self.closing.set()
        self._listener.shutdown()
        self._listener.server_close()


@contextlib.contextmanager
def serving(behaviours: dict[str, Behaviour], **options) -> Iterator[Server]:
    server = Server(behaviours, **options)
    try:
        yield server
    finally:
        server.close()


@contextlib.contextmanager
def deaf() -> Iterator[str]:
    """The address of a host that takes connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/x.jpg"


def picture(number: int = 0, **headers) -> Behaviour:
    body = jpeg(number)
    return lambda line, request: line.answer(200, body, **headers)


def body(data: bytes, **headers) -> Behaviour:
    return lambda line, request: line.answer(200, data, **headers)


def redirect(target: str, code: int = 302) -> Behaviour:
    return lambda line, request: line.answer(code, Location=target)


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """The first behaviour for the first request, and so on; the last one stays."""
    left = list(behaviours)
    lock = threading.Lock()

    def respond(line, request):
        with lock:
            now = left.pop(0) if len(left) > 1 else left[0]
        return now(line, request)

    return respond


def slowly(seconds: float, behaviour: Behaviour) -> Behaviour:
    def respond(line, request):
        line.server.closing.wait(seconds)
        return behaviour(line, request)

    return respond


def never_ending(line, request):
    line.answer(200, Content_Length=None, Connection="close")
    line.pour(b"\xff" * 65536)


def one_byte_at_a_time(line, request):
    line.answer(200, Content_Length=10_000)
    line.drip(jpeg())


def headers_without_end(line, request):
    line.socket.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    line.drip(b"a" * 10_000)


def endless_chunk_size(line, request):
    line.answer(200, Content_Length=None, Transfer_Encoding="chunked")
    line.pour(b"0" * 65536)


def ten_gigabytes(line, request):
    line.answer(200, Content_Length=10 * 2**30)
    line.server.closing.wait(LONG)


def broken_off(line, request):
    data = jpeg()
    line.answer(200, Content_Length=len(data))
    line.socket.sendall(data[: len(data) // 2])
    line.server.closing.wait(0.05)
    line.reset()
    return False


def too_much_promised(line, request):
    data = jpeg()
    line.answer(200, Content_Length=len(data) + 1000, Connection="close")
    line.socket.sendall(data)
    return False


def too_little_promised(line, request):
    data = jpeg()
    line.answer(200, Content_Length=len(data) - 100, Connection="close")
    line.socket.sendall(data)
    return False


def no_http(line, request):
    line.socket.sendall(b"SSH-2.0-OpenSSH_9.6\r\n" * 3)
    return False


def gzip_bomb(size: int = 300 * 2**20) -> Behaviour:
    data = gzip.compress(bytes(size), 9)
    return body(data, Content_Encoding="gzip")
