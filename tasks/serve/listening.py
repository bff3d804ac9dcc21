"""An application behind a socket, until it is told to stop."""

import contextlib
import socket

from fastapi import FastAPI
from uvicorn import Config, Server

from storage.errors import DarkroomError, ParameterError
from tasks.serve.connections import http_protocol
from tasks.serve.limits import Limits
from tasks.serve.service import Service


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


def _tell(one: socket.socket) -> None:
    """Uvicorn itself says nothing of a socket that it was handed."""
    print(f"{_address(one)} answers; Ctrl-C stops it", flush=True)  # noqa: T201


def _address(one: socket.socket) -> str:
    host, port = one.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def server(app: FastAPI, limits: Limits) -> Server:
    """uvicorn, speaking plain HTTP/1.1 and nothing else, whatever else is installed."""
    return Server(
        Config(
            app,
            http=http_protocol(limits.head_seconds, limits.answer_seconds),
            loop="asyncio",
            ws="none",
            lifespan="on",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=limits.stop_seconds,
        )
    )


def allow_connections(connections: int) -> None:
    """Let the process have so many connections, as far as the system allows it."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # Windows has none, and no such bound

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = 2 * connections + 256
        if soft < wanted:
            most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def listen(app: FastAPI, limits: Limits, bound: socket.socket) -> None:
    """Answer until interrupted or terminated, then answer what is in flight.

    DarkroomError if the application does not start, or its model cannot be loaded.
    """
    allow_connections(limits.waiting)
    service: Service = app.state.service
    running = server(app, limits)
    service.when_failed = lambda: setattr(running, "should_exit", True)
    service.when_ready = lambda: _tell(bound)
    with contextlib.suppress(KeyboardInterrupt):
        try:
            running.run(sockets=[bound])
        except SystemExit as error:
            raise DarkroomError(
                "expected the server to start, found that it gave up: its log says why"
            ) from error
    if service.failure is not None:
        raise service.failure
