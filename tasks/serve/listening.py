"""An application behind a socket, until it is told to stop."""

import contextlib
import socket

from fastapi import FastAPI
from uvicorn import Config, Server

from storage.errors import ParameterError
from tasks.serve.connections import http_protocol
from tasks.serve.limits import Limits


def listening_socket(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one; ParameterError where it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        raise ParameterError(
            f"expected a free address to listen on, found {host} port {port}: {error}. Choose "
            "another port, or 127.0.0.1 for this machine alone"
        ) from error


def server(app: FastAPI, limits: Limits) -> Server:
    """uvicorn, speaking plain HTTP/1.1 and nothing else, whatever else is installed."""
    return Server(
        Config(
            app,
            http=http_protocol(limits.head_seconds),
            loop="asyncio",
            ws="none",
            lifespan="on",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=limits.stop_seconds,
        )
    )


def listen(app: FastAPI, limits: Limits, *, host: str, port: int) -> None:
    """Answer until interrupted or terminated, then answer what is in flight."""
    with listening_socket(host, port) as one:
        address = f"[{host}]" if ":" in host else host
        # uvicorn says nothing of a socket that it was handed.
        print(f"http://{address}:{one.getsockname()[1]}/ answers; Ctrl-C stops it", flush=True)  # noqa: T201
        with contextlib.suppress(KeyboardInterrupt):
            server(app, limits).run(sockets=[one])
