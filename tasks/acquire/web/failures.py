"""What went wrong, as a status and a sentence: exceptions of five libraries, and HTTP codes."""

import http.client
import socket
import ssl
from collections.abc import Iterator

import requests
import urllib3.exceptions as pool

from storage.statuses import DownloadStatus
from tasks.acquire.web.addresses import RefusedAddress
from tasks.acquire.web.limits import OutOfBytes, OutOfTime

LONGEST_REASON = 200
# What a request may raise because of the address or the server. UnicodeError (a host name that is
# none) and urllib3's LocationParseError are ValueErrors.
EXPECTED = (
    requests.RequestException, pool.HTTPError, http.client.HTTPException, OSError, ValueError,
)  # fmt: skip

# The first line that matches any exception of the chain decides.
KINDS: tuple[tuple[DownloadStatus, tuple[type[BaseException], ...]], ...] = (
    (DownloadStatus.PRIVATE_ADDRESS, (RefusedAddress,)),
    (DownloadStatus.TOO_LARGE, (OutOfBytes,)),
    (DownloadStatus.TIMEOUT, (OutOfTime,)),
    (DownloadStatus.DNS, (socket.gaierror, pool.NameResolutionError)),
    (DownloadStatus.TLS, (ssl.SSLError, ssl.CertificateError, pool.SSLError)),
    (DownloadStatus.TIMEOUT, (TimeoutError, pool.TimeoutError, requests.Timeout)),
    (DownloadStatus.INCOMPLETE, (http.client.IncompleteRead,)),
    (DownloadStatus.CONNECTION, (ConnectionError,)),
    (
        DownloadStatus.NOT_HTTP,
        (http.client.HTTPException, pool.InvalidHeader, requests.exceptions.InvalidHeader),
    ),
    (
        DownloadStatus.BAD_URL,
        (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, pool.LocationValueError,
         requests.exceptions.MissingSchema, UnicodeError, http.client.InvalidURL),
    ),
)  # fmt: skip


def explained(error: BaseException) -> tuple[DownloadStatus, str]:
    """The status for an exception of EXPECTED, and its innermost words."""
    chain = list(_chain(error))
    for status, kinds in KINDS:
        for link in chain:
            if isinstance(link, kinds):
                return status, _words(link)
    return DownloadStatus.CONNECTION, _words(chain[-1])


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and all that it wraps: libraries keep causes in four different places."""
    seen: set[int] = set()
    queue = [error]
    while queue:
        link = queue.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        inner = (*link.args, getattr(link, "reason", None), link.__cause__, link.__context__)
        queue += [part for part in inner if isinstance(part, BaseException)]


def _words(error: BaseException) -> str:
    words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    flat = " ".join(str(words).split()) or type(error).__name__
    return flat[:LONGEST_REASON]


def of_code(code: int) -> DownloadStatus | None:
    """The status for an HTTP code that brings no picture; None for 200."""
    if code == 200:
        return None
    if code in (404, 410):
        return DownloadStatus.NOT_FOUND
    if code in (401, 402, 403, 407, 451):
        return DownloadStatus.FORBIDDEN
    if code == 408:
        return DownloadStatus.TIMEOUT
    if code in (425, 429):
        return DownloadStatus.RATE_LIMITED
    return DownloadStatus.SERVER_ERROR if code >= 500 else DownloadStatus.REFUSED
