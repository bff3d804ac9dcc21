"""A request's body as encoded pictures, within limits that are kept while the bytes arrive."""

import asyncio
from collections.abc import AsyncGenerator

from fastapi import HTTPException, Request
from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from tasks.serve.limits import Limits

FORM = "multipart/form-data"
FIELD = "file"
# A form may name the encoding of its fields' names, and Python has some that take minutes to read.
ENCODINGS = (b"utf-8", b"utf8")
OTHER_FIELDS = 16


async def pictures_in(request: Request, limits: Limits) -> list[bytes]:
    """The pictures of one request, still encoded; HTTPException with 400, 408, 413 or 415."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    _require_known(request, kind)
    try:
        async with asyncio.timeout(limits.upload_seconds):
            if kind == FORM:
                return await _form(request, limits)
            return [b"".join([chunk async for chunk in _arriving(request, limits.max_bytes)])]
    except TimeoutError:
        raise HTTPException(
            408, f"expected the whole body within {limits.upload_seconds:g} s; send it faster"
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


async def _arriving(request: Request, max_bytes: int) -> AsyncGenerator[bytes, None]:
    """The body's chunks; 413 as soon as they are, or are announced to be, more than `max_bytes`."""
    too_large = HTTPException(
        413, f"the body is larger than {max_bytes:,} bytes: send smaller or fewer pictures"
    )
    # An honest length saves the sending; a lying one is caught below.
    if int(request.headers.get("content-length", 0)) > max_bytes:
        raise too_large
    arrived = 0
    async for chunk in request.stream():
        arrived += len(chunk)
        if arrived > max_bytes:
            raise too_large
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


async def _form(request: Request, limits: Limits) -> list[bytes]:
    _, options = parse_options_header(request.headers["content-type"])
    if options.get(b"charset", ENCODINGS[0]).lower() not in ENCODINGS:
        raise HTTPException(400, f"expected {FORM} in UTF-8, without another charset")
    parser = _Form(request.headers, _arriving(request, limits.max_bytes), limits)
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
