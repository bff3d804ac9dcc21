"""What HTTP says beside the answer: other hosts, unwanted bodies, late heads, unread answers."""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Sequence
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol


class RestOfBody:
    """An answer given before the body has ended is heard; then the connection ends.

    A client that is still sending would lose the answer if the connection were closed at once (RFC
    9112, section 9.6), so what it sends is thrown away for `seconds` at the most.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self.app = app
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send, self.seconds)
        await self.app(scope, exchange.receive, exchange.send)


class _Exchange:
    def __init__(self, scope: Scope, receive: Receive, send: Send, seconds: float) -> None:
        headers = dict(scope["headers"])
        announced = headers.get(b"content-length", b"0") != b"0"
        self.ended = not announced and b"transfer-encoding" not in headers
        self._receive, self._send, self._seconds = receive, send, seconds

    async def receive(self) -> Message:
        message = await self._receive()
        self.ended = self.ended or not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if self.ended:
            await self._send(message)
        elif message["type"] == "http.response.start":
            headers = [*message.get("headers", []), (b"connection", b"close")]
            await self._send({**message, "headers": headers})
        elif message.get("more_body", False):
            await self._send(message)
        else:
            await self._send({**message, "more_body": True})
            await self._throw_away()
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _throw_away(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._seconds):
                while not self.ended:
                    await self.receive()


class KnownHost:
    """Requests to a name that is not this server's are refused: against DNS rebinding.

    A page from elsewhere may have its own name lead here, and would then be let read the answers.
    An address as such, and localhost, is nobody else's name.
    """

    def __init__(self, app: ASGIApp, names: Sequence[str]) -> None:
        self.app = app
        self.names = {"localhost", socket.gethostname().lower(), *map(str.lower, names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        asked = dict(scope.get("headers", ())).get(b"host", b"").decode("latin-1").lower()
        if scope["type"] != "http" or self._is_known(asked):
            await self.app(scope, receive, send)
            return
        shown = "".join(sign if sign.isprintable() else "?" for sign in asked[:100])
        text = f"expected a name of this server as Host, found {shown!r}: --allow-host allows it"
        await JSONResponse({"detail": text}, 421)(scope, receive, send)

    def _is_known(self, host: str) -> bool:
        name = host.partition("]")[0].lstrip("[") if host[:1] == "[" else host.partition(":")[0]
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name in self.names
        return True


def http_protocol(head_seconds: float, answer_seconds: float) -> type[H11Protocol]:
    """HTTP/1.1 by uvicorn; clients have so long to send a request's head, to take what is sent.

    uvicorn itself would keep a connection that is silent, or never read from, for as long as the
    client likes.
    """

    class Connection(H11Protocol):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._expect_head(self.cycle)

        def on_response_complete(self) -> None:
            last = self.cycle
            # Begins with the next request at once where its head has come already.
            super().on_response_complete()
            self._expect_head(last)

        def pause_writing(self) -> None:
            super().pause_writing()
            self._stuck = self.loop.call_later(answer_seconds, self.transport.abort)

        def resume_writing(self) -> None:
            super().resume_writing()
            self._stuck.cancel()

        def _expect_head(self, last: object) -> None:
            self.loop.call_later(head_seconds, self._close_unless_asked, last)

        def _close_unless_asked(self, last: object) -> None:
            if self.cycle is last and not self.transport.is_closing():
                self.transport.close()

    return Connection
