"""A real uvicorn around a real model, watched from inside."""

import contextlib
import dataclasses
import json
import threading
import time

import numpy as np

from tasks.serve.app import create_app
from tasks.serve.limits import Limits
from tasks.serve.listening import listening_socket, server

SIDE = 32
NAMES = ["ant", "bee", "<b>cow</b>"]
CARD_TEXT = "# Model card\n\nClasses: `ant`, `<b>cow</b>`, ü\n"


class Gate:
    """A classifier's network, counted, and held back on request."""

    def __init__(self, compute):
        self.sizes = []
        self.free = threading.Event()
        self.free.set()
        self._compute = compute

    def __call__(self, batch):
        self.sizes.append(len(batch))
        assert self.free.wait(60)
        # Stands for a picture that the network cannot bear.
        if any(np.asarray(one).max() == 0 for one in batch) and len(self.sizes) > 1:
            raise RuntimeError("this picture is black")
        return self._compute(batch)


class Served:
    """A real uvicorn in a thread, and what the application read of each request."""

    def __init__(self, classifier, limits):
        self.gate = Gate(classifier.compute)
        gated = dataclasses.replace(classifier, compute=self.gate)
        self.app = create_app(lambda: gated, limits)
        self.service = self.app.state.service
        self.read_before_answer = []
        self.read = 0
        self.errors = []
        self.uvicorn = server(self, limits)
        self.socket = listening_socket("127.0.0.1", 0)
        self.port = self.socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    async def __call__(self, scope, receive, send):
        """The application, with the bytes that it took before it began to answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        read = 0

        async def receive_counted():
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            self.read += len(message.get("body", b""))
            return message

        async def send_counted(message):
            if message["type"] == "http.response.start":
                self.read_before_answer.append(read)
            await send(message)

        await self.app(scope, receive_counted, send_counted)

    def computations(self):
        """Sizes of what was computed, the warm-up aside."""
        return self.gate.sizes[1:]


@contextlib.contextmanager
def serving(classifier, **limits):
    served = Served(classifier, Limits(**limits))
    thread = threading.Thread(target=served.uvicorn.run, kwargs={"sockets": [served.socket]})
    thread.start()
    try:
        while not served.uvicorn.started or served.service.state == "loading":
            assert thread.is_alive()
            time.sleep(0.01)
        yield served
    finally:
        served.gate.free.set()
        served.uvicorn.should_exit = True
        thread.join(60)
        assert not thread.is_alive()


def parsed(answer: bytes):
    """(code, headers, JSON or text) of one raw HTTP answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
    with contextlib.suppress(ValueError):
        body = json.loads(body)
    return int(first.split()[1]), headers, body
