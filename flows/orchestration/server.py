"""A Prefect server of one's own, for a run where no other is named; it ends with this process.

It is started before Prefect is imported here, so that the two imports run beside each other. What
it needs to know is in the environment: this module imports nothing heavy.
"""

import atexit
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import ClassVar

from filelock import FileLock

from storage.errors import ServerUnreachable

API_URL = "PREFECT_API_URL"
PROJECT = Path(__file__).resolve().parents[2]
APPLICATION = "prefect.server.api.server:create_app"
# As Prefect starts a temporary server: no page, and only the services that record runs.
TEMPORARY = {
    "PREFECT_UI_ENABLED": "0",
    "PREFECT__SERVER_EPHEMERAL": "1",
    "PREFECT__SERVER_FINAL": "1",
}
SECONDS = 120.0
SECONDS_OF_SILENCE = 4.0
SECONDS_TO_STOP = 5.0


class OwnServer:
    """A server that is starting or running; a terminal's Ctrl-C does not reach it."""

    _of_process: ClassVar["OwnServer | None"] = None

    def __init__(self) -> None:
        """Start it, and name it in this process's environment."""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop()
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}/api"
        own = [str(PROJECT), os.environ.get("PYTHONPATH", "")]
        environment = os.environ | TEMPORARY | {"PYTHONPATH": os.pathsep.join(filter(None, own))}
        # The pipe closes when this process ends, however it does: the server ends then, too.
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "flows.orchestration.server", str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            env=environment,
            start_new_session=True,
        )
        os.environ[API_URL] = self.url
        # Registered before Prefect's own hooks, it runs after them: what they send still arrives.
        atexit.register(self.stop)

    @classmethod
    def started(cls) -> "OwnServer":
        """The server of this process, started the first time; it ends with the process."""
        cls._of_process = cls._of_process or cls()
        return cls._of_process

    @classmethod
    def is_own(cls, url: str) -> bool:
        """Whether this is the address of the server that `started` has started."""
        return cls._of_process is not None and cls._of_process.url == url

    def wait(self, seconds: float = SECONDS) -> None:
        """Return when it answers; ServerUnreachable with its last words if it does not."""
        started, told = time.monotonic(), False
        while not self._answers():
            waited = time.monotonic() - started
            if self._process.poll() is not None or waited > seconds:
                raise ServerUnreachable(
                    f"expected a Prefect server of its own to answer within {seconds:.0f} s, found "
                    f"none: {self._last_words()}. Start one with `prefect server start` and set "
                    f"{API_URL} to it"
                )
            if waited > SECONDS_OF_SILENCE and not told:
                told = True
                words = "starting a Prefect server; the first start makes its database"
                print(f"darkroom: {words}", file=sys.stderr)  # noqa: T201 - people wait
            time.sleep(0.05)

    def stop(self) -> None:
        """End it; nothing happens the second time."""
        atexit.unregister(self.stop)
        if os.environ.get(API_URL) == self.url:
            del os.environ[API_URL]
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=5):  # noqa: S310 - ours
                return True
        except OSError:
            return False

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").split("\n")
        return " ".join(line.strip() for line in lines if line.strip())[-300:] or "it said nothing"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _end_with_parent() -> None:
    """Wait until whoever started this process is gone, then end as Ctrl-C would."""
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(SECONDS_TO_STOP)
    os._exit(0)


def _serve(port: int) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import uvicorn

    _make_database()
    uvicorn.run(
        APPLICATION, factory=True, host="127.0.0.1", port=port, log_level="error", lifespan="on"
    )


def _make_database() -> None:
    """Two first starts at once would both make the database: the second one waits.

    One that the user has named (PostgreSQL) is the user's to make.
    """
    from prefect.settings import PREFECT_API_DATABASE_CONNECTION_URL, PREFECT_HOME

    home = PREFECT_HOME.value()
    named = PREFECT_API_DATABASE_CONNECTION_URL.value() or ""
    if (home / "prefect.db").exists() or not str(named).endswith("/prefect.db"):
        return
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / "first-start.lock"):
        if not (home / "prefect.db").exists():
            words = ["-m", "prefect", "server", "database", "upgrade", "--yes"]
            subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)  # noqa: S603


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
