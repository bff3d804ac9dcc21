"""A request's body as encoded pictures, within limits that are kept while the bytes arrive."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterator

from fastapi import HTTPException, Request
from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from tasks.serve.limits import Limits

RETRY_AFTER = {"Retry-After": "1"}
FORM = "multipart/form-data"
FIELD = "file"
# A form may name the encoding of its fields' names, and Python has some that take minutes to read.
ENCODINGS = (b"utf-8", b"utf8")
OTHER_FIELDS = 16


class Room:
    """Room for the bodies of all requests: so many bytes, and a little more for small ones."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.held = 0

    @contextlib.contextmanager
    def body(self) -> Iterator["Body"]:
        """One body, whose bytes are held as long as the block lasts."""
        body = Body(self)
        try:
            yield body
        finally:
            self.held -= body.bytes


class Body:
    """One request's body as it arrives: how much of it, and by when the next of it has to come."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.bytes = 0
        self.started = asyncio.get_running_loop().time()

    def add(self, count: int) -> None:
        """Take so many bytes more; HTTPException with 413 or 503 where there is no room."""
        limits = self.room.limits
        if self.bytes + count > limits.max_bytes:
            raise too_large(limits)
        large = self.bytes + count > limits.small_bytes
        if large and self.room.held + count > limits.held_bytes:
            raise HTTPException(503, "too much is being sent: try again later", headers=RETRY_AFTER)
        self.bytes += count
        self.room.held += count

    @property
    def deadline(self) -> float:
        """The loop's time at which it is too slow, unless more of it comes before."""
        limits = self.room.limits
        allowed = limits.slow_seconds + self.bytes / limits.slowest
        return self.started + min(limits.upload_seconds, allowed)


async def pictures_in(request: Request, body: Body) -> list[bytes]:
    """The pictures of one request, still encoded; HTTPException with 400, 408, 413, 415 or 503."""
    limits = body.room.limits
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    _require_known(request, kind)
    try:
        async with asyncio.timeout_at(body.deadline) as clock:
            chunks = _arriving(request, body, clock)
            if kind == FORM:
                return await _form(request, limits, chunks)
            return [b"".join([chunk async for chunk in chunks])]
    except TimeoutError:
        raise HTTPException(
            408,
            f"expected the whole body within {limits.upload_seconds:g} s, and at least "
            f"{limits.slowest:,} bytes a second; send it faster",
        ) from None
    except ClientDisconnect:
        # Nobody hears this; the log of requests does.
        raise HTTPException(400, "the connection ended before the body did") from None


def _require_known(request: Request, kind: str) -> None:
    if kind != FORM and not kind.startswith("image/"):
        raise HTTPException(
            415,
            f"expected {FORM} with a field `{FIELD}`, or a picture as the body with its own "
            "Content-Type, such as image/jpeg",
            headers={"Accept": f"{FORM}, image/*"},
        )
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPException(
            415, "expected a body without Content-Encoding", headers={"Accept-Encoding": "identity"}
        )


def too_large(limits: Limits) -> HTTPException:
    """What a body of too many bytes is answered."""
    return HTTPException(
        413, f"the body is larger than {limits.max_bytes:,} bytes: send smaller or fewer pictures"
    )


async def _arriving(
    request: Request, body: Body, clock: asyncio.Timeout
) -> AsyncGenerator[bytes, None]:
    """The body's chunks; 413 as soon as they are, or are announced to be, too many bytes.

    Each puts the clock's end off.
    """
    # An honest length saves the sending; a lying one is caught as it arrives.
    if int(request.headers.get("content-length", 0)) > body.room.limits.max_bytes:
        raise too_large(body.room.limits)
    async for chunk in request.stream():
        body.add(len(chunk))
        clock.reschedule(body.deadline)
        yield chunk


class _Form(MultiPartParser):
    """Starlette's parser; it keeps files in memory, and knows whether the form has ended."""

    def __init__(
        self, headers: Headers, stream: AsyncGenerator[bytes, None], limits: Limits
    ) -> None:
        super().__init__(headers, stream, max_files=limits.pictures, max_fields=OTHER_FIELDS)
        self.spool_max_size = limits.max_bytes + 1
        self.ended = False

    def on_end(self) -> None:
        self.ended = True


async def _form(
    request: Request, limits: Limits, chunks: AsyncGenerator[bytes, None]
) -> list[bytes]:
    _, options = parse_options_header(request.headers["content-type"])
    if options.get(b"charset", ENCODINGS[0]).lower() not in ENCODINGS:
        raise HTTPException(400, f"expected {FORM} in UTF-8, without another charset")
    parser = _Form(request.headers, chunks, limits)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise HTTPException(400, f"expected {FORM}: {error.message}") from None
    try:
        if not parser.ended:
            raise HTTPException(400, f"the {FORM} ends before its closing boundary")
        # Names that clients give their files are never looked at.
        files = [part for part in form.getlist(FIELD) if isinstance(part, UploadFile)]
        if not files:
            raise HTTPException(
                400, f"expected one or more files in the field `{FIELD}`, found none"
            )
        return [await file.read() for file in files]
    finally:
        await form.close()
