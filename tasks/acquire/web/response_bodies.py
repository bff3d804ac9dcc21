"""The body of an answer, within a limit, whatever the server says about it."""

import contextlib
import threading
import zlib
from collections.abc import Iterator

from requests import Response
from urllib3.exceptions import ProtocolError

from tasks.acquire.web import limits
from tasks.acquire.web.limits import MEBIBYTE, OutOfBytes

BLOCK = MEBIBYTE // 4
# Many threads hold a body each: only so many of these may be larger than SMALL at a time.
SMALL = MEBIBYTE
_LARGE = threading.BoundedSemaphore(4)
# A short error page is read to the end, so that its connection can be used again.
WORTH_READING = 64 * 1024
ANY_WRAPPER = 32 + zlib.MAX_WBITS


class UnknownEncoding(Exception):
    """The body is encoded in a way that was not asked for."""


class DamagedEncoding(Exception):
    """The body is not what its encoding promises."""


def declared_bytes(response: Response) -> int:
    """What Content-Length says; 0 if it says nothing that can be understood."""
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdigit() else 0


def read(response: Response, limit: int) -> bytes:
    """The whole body, decoded; OutOfBytes as soon as it is known to have more than `limit` bytes.

    UnknownEncoding and DamagedEncoding for what cannot be decoded; errors of the connection as they
    come.
    """
    if declared_bytes(response) > limit:
        raise OutOfBytes(f"{declared_bytes(response):,} bytes declared, more than {limit:,}")
    data = bytearray()
    with contextlib.ExitStack() as stack:
        for block in decoded(response):
            if len(data) <= SMALL < len(data) + len(block):
                stack.enter_context(_room_for_a_large_one())
            data += block
            if len(data) > limit:
                raise OutOfBytes(f"more than {limit:,} bytes came in")
    return bytes(data)


def read_start(response: Response, limit: int) -> bytes:
    """The first `limit` bytes of the body, or as much of them as came before it broke off."""
    data = bytearray()
    with contextlib.suppress(ProtocolError, DamagedEncoding):
        for block in decoded(response):
            data += block
            if len(data) >= limit:
                break
    return bytes(data[:limit])


@contextlib.contextmanager
def _room_for_a_large_one() -> Iterator[None]:
    if not _LARGE.acquire(timeout=limits.current().patience(threading.TIMEOUT_MAX)):
        raise limits.OutOfTime("other large files took all the time")
    try:
        yield
    finally:
        _LARGE.release()


def decoded(response: Response) -> Iterator[bytes]:
    """The body in blocks of bounded size; UnknownEncoding, DamagedEncoding."""
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    blocks = response.raw.stream(BLOCK, decode_content=False)
    if encoding in ("gzip", "x-gzip", "deflate"):
        return _inflated(blocks)
    if encoding not in ("", "identity", "none", "binary"):
        raise UnknownEncoding(f"sent in the encoding {encoding[:40]!r}, which was not asked for")
    return blocks


def _inflated(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """None of the blocks is larger than BLOCK: a bomb ends at the caller's limit, not in memory."""
    inflater = zlib.decompressobj(ANY_WRAPPER)
    try:
        for block in blocks:
            data = block
            while data:
                yield inflater.decompress(data, BLOCK)
                data = inflater.unconsumed_tail
        while rest := inflater.decompress(inflater.unconsumed_tail, BLOCK):
            yield rest
    except zlib.error as error:
        raise DamagedEncoding(f"not the compressed data it says it is ({error})") from error
    if not inflater.eof:
        raise DamagedEncoding("its compressed data end early")


def finish(response: Response) -> None:
    """Give the connection back if little is left to read, else close it."""
    length = response.headers.get("Content-Length", "")
    if length.isascii() and length.isdigit() and int(length) <= WORTH_READING:
        response.raw.drain_conn()
    response.close()
