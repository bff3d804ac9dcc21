"""A real S3 server on loopback, moto's, for tests of remotes."""

import contextlib
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

SECRET = "wJalrXUtnFEMIsecret"


@contextlib.contextmanager
def bucket_server(folder):
    """The endpoint of a server of a process of its own; its requests are logged in `folder`."""
    pytest.importorskip("moto", reason="needs moto and flask, which is not installed")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    log = folder / "requests.log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=out, stderr=out,
        )  # fmt: skip
    endpoint = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            with contextlib.suppress(OSError), urllib.request.urlopen(endpoint, timeout=5):
                break
            time.sleep(0.1)
        yield endpoint, log
    finally:
        server.terminate()
        server.wait()


def environment(endpoint):
    """What a process needs in its environment to use the server."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
    }


def make_bucket(endpoint, name):
    """An empty bucket of this name."""
    request = urllib.request.Request(f"{endpoint}/{name}", method="PUT")
    with urllib.request.urlopen(request, timeout=30):
        pass
