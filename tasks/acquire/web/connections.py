"""requests over guarded connections: checked addresses, and limits kept where bytes arrive."""

import os
import socket
import ssl
from typing import Any

from certifi import where
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.ssl_ import create_urllib3_context

from tasks.acquire.web import limits
from tasks.acquire.web.addresses import SocketAddress, resolve
from tasks.acquire.web.limits import Allowance

# Idle connections are kept for this many hosts; the one used longest ago is closed first.
HOSTS_KEPT_OPEN = 128
USER_AGENT = "Darkroom/0.1 (collects pictures to train image classifiers; obeys robots.txt)"
HEADERS = CaseInsensitiveDict(
    {
        "User-Agent": USER_AGENT,
        # Pictures are compressed already. A server that packs them again is still understood.
        "Accept-Encoding": "identity",
        "Connection": "keep-alive",
    }
)


def _patient(sock: socket.socket) -> Allowance:
    """This thread's allowance; the socket waits no longer than it allows."""
    allowance = limits.current()
    seconds = allowance.patience(allowance.read_seconds)
    # Setting what is already set would cost a system call for every packet.
    if seconds != sock.gettimeout():
        sock.settimeout(seconds)
    return allowance


class LimitedSocket(socket.socket):
    """A socket whose every receive lives on the allowance of the thread that waits for it."""

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """Bytes received; OutOfTime or OutOfBytes when the allowance is used up."""
        allowance = _patient(self)
        count = super().recv_into(buffer, nbytes, flags)
        allowance.take(count)
        return count


class LimitedTLSSocket(ssl.SSLSocket):
    """The same over TLS."""

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        """Bytes received; OutOfTime or OutOfBytes when the allowance is used up."""
        allowance = _patient(self)
        count = super().recv_into(buffer, nbytes, flags)
        allowance.take(count)
        return count


def connect(host: str, port: int, *, allow_private: bool) -> LimitedSocket:
    """A connection to the first address of `host` that may be used and answers.

    RefusedAddress if none may be used; the error of the last one if none answers.
    """
    failure: OSError = OSError("no address")
    for target in resolve(host, port, allow_private=allow_private):
        try:
            return _connected(target)
        except limits.OutOfTime:
            raise
        except OSError as error:
            failure = error
    raise failure


def _connected(target: SocketAddress) -> LimitedSocket:
    family, address = target
    allowance = limits.current()
    sock = LimitedSocket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(allowance.patience(allowance.connect_seconds))
        sock.connect(address)
    except BaseException:
        sock.close()
        raise
    return sock


def _pool_classes(*, allow_private: bool) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            assert self.port is not None
            return connect(self._dns_host, self.port, allow_private=allow_private)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            assert self.port is not None
            return connect(self._dns_host, self.port, allow_private=allow_private)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def _tls() -> ssl.SSLContext:
    """One context for all connections: loading the authorities costs 20 ms each time."""
    context = create_urllib3_context()
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    context.load_verify_locations(bundle or where())
    context.sslsocket_class = LimitedTLSSocket
    return context


class GuardedAdapter(HTTPAdapter):
    """requests' adapter on guarded connections; proxies, cookies and .netrc play no part.

    A proxy would choose the address that is connected to, so that it could not be checked.
    """

    def __init__(self, *, allow_private: bool, connections_per_host: int) -> None:
        self._tls = _tls()
        super().__init__(pool_connections=HOSTS_KEPT_OPEN, pool_maxsize=connections_per_host)
        classes = _pool_classes(allow_private=allow_private)
        self.poolmanager.pool_classes_by_scheme = classes

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """As requests does it, with one TLS context for all pools."""
        super().init_poolmanager(*args, **options, ssl_context=self._tls)

    def cert_verify(self, *_: Any) -> None:
        """Nothing: the TLS context knows the authorities, and always verifies."""

    def get_connection_with_tls_context(
        self, request: PreparedRequest, *_: Any, **__: Any
    ) -> HTTPConnectionPool:
        """The pool of the request's host; there are no proxies and certificates to choose by."""
        return self.poolmanager.connection_from_url(str(request.url))

    def get(self, url: str, headers: dict[str, str]) -> Response:
        """The answer to one GET, its body not read; redirects are the caller's to follow."""
        allowance = limits.current()
        waits = (allowance.connect_seconds, allowance.read_seconds)
        return self.send(prepared(url, headers), stream=True, timeout=waits)


def prepared(url: str, headers: dict[str, str]) -> PreparedRequest:
    """The request, its address quoted and checked; requests' InvalidURL and kin if it is none.

    What a session would add (cookies, hooks, a body, credentials of the address) is left out.
    """
    request = PreparedRequest()
    request.method = "GET"
    request.prepare_url(url, None)
    request.headers = HEADERS.copy()
    request.headers.update(headers)
    return request
