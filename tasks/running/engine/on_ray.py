"""Units of work on Ray's workers (extra `ray`): actors that prepare once, and store what they make.

Nothing large goes through Ray: a worker is told names, and tells a number. A worker or a machine
that is lost costs its unit, which another one takes.
"""

import contextlib
import logging
import os
import signal
import socket
import sys
import threading
from collections import deque
from collections.abc import Iterator
from typing import Any

from storage import elsewhere
from storage.elsewhere import REMOTE_VARIABLE
from storage.errors import DarkroomError, MissingLibrary, ParameterError, SystemLimit
from storage.workspace import HOME_VARIABLE, Workspace
from tasks.running.engine.jobs import Job
from tasks.running.engine.parameters import Engine
from tasks.running.progress import Advance, silent

# A unit that ends its worker so often would end every other as well.
TRIES = 3
LOOK_SECONDS = 1.0
ANSWER_SECONDS = 5
# So set, Ray takes the loopback address for this machine's: it lets in whoever reaches its ports.
ON_LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
LOOPBACK = ("127.0.0.1", "localhost")
# A worker is lost with all that it was given at once; each is given some so many times, for the
# last to end at about the same time.
MOST_AT_ONCE, TURNS = 4, 4
# Names and numbers alone go through Ray's store; this is the least that it takes.
STORE_BYTES = 80 * 2**20


class Worker:
    """What an actor does: it gets a job once, and one unit after the other."""

    def __init__(self, job: Job, environment: dict[str, str]) -> None:
        os.environ.update(environment)
        job.threads = 1
        self._job = job

    def ready(self) -> int:
        """The worker's process, once there is one."""
        return os.getpid()

    def work(self, unit: list[str]) -> int:
        """Do a unit and store it, in the remote as well if there is one."""
        done = self._job.work(unit, silent)
        if elsewhere.remote(Workspace.current()) is not None:
            for folder in self._job.folders:
                elsewhere.push_shards(Workspace.current(), folder)
        return done


def mapped(engine: Engine, job: Job, units: list[list[str]], advance: Advance) -> int:
    """Have every unit done by a worker; how many names were done."""
    ray = _connected(engine)
    workers = engine.workers or int(ray.cluster_resources().get("CPU", 1))
    several = _several(units, workers)
    dispatch = _Dispatch(ray, job, min(workers, len(several)))
    try:
        return dispatch.done(several, advance)
    finally:
        dispatch.dismiss()


def _several(units: list[list[str]], workers: int) -> list[list[str]]:
    """Units that a worker is given at once, so that it decodes for one while it stores another."""
    size = max(1, min(MOST_AT_ONCE, len(units) // (workers * TURNS)))
    return [
        [name for unit in units[start : start + size] for name in unit]
        for start in range(0, len(units), size)
    ]


class _Dispatch:
    """Gives units to workers that are free, and again to others where one is lost."""

    def __init__(self, ray: Any, job: Job, workers: int) -> None:
        self._ray = ray
        self._actor = ray.remote(num_cpus=1, max_restarts=0)(Worker)
        self._job = ray.put(job)
        self._environment = {HOME_VARIABLE: str(Workspace.current().root)} | {
            name: os.environ[name] for name in (REMOTE_VARIABLE,) if name in os.environ
        }
        # What each answer that is waited for is of: a worker, and its unit, none while it starts.
        self._waiting: dict[Any, tuple[Any, tuple[int, ...]]] = {}
        self._lost: dict[int, int] = {}
        self._workers: list[Any] = []
        self._idle: list[Any] = []
        for _ in range(workers):
            self._hire()

    def done(self, units: list[list[str]], advance: Advance) -> int:
        """Have all of them done; how many names that were."""
        left, done = deque(range(len(units))), 0
        while left or any(unit for _, unit in self._waiting.values()):
            while left and self._idle:
                worker, which = self._idle.pop(), left.popleft()
                self._waiting[worker.work.remote(units[which])] = (worker, (which,))
            if not self._waiting:
                raise SystemLimit("no worker of Ray is left: look at its logs, and run again")
            ready, _ = self._ray.wait([*self._waiting], timeout=LOOK_SECONDS)
            for answer in ready:
                worker, unit = self._waiting.pop(answer)
                try:
                    number = self._ray.get(answer)
                except self._ray.exceptions.RayTaskError as error:
                    raise _cause_of(error) from None
                except self._ray.exceptions.RayError as error:
                    self._note_lost(unit, units, error)
                    left.extendleft(unit)
                    self._hire()
                    continue
                # One that has no work now may get what another one loses.
                self._idle.append(worker)
                if unit:
                    done += number
                    advance(number)
        return done

    def _hire(self) -> None:
        worker = self._actor.remote(self._job, self._environment)
        self._workers.append(worker)
        self._waiting[worker.ready.remote()] = (worker, ())

    def dismiss(self) -> None:
        """End every worker, with what it is doing."""
        for worker in self._workers:
            self._ray.kill(worker)

    def _note_lost(self, unit: tuple[int, ...], units: list[list[str]], error: Exception) -> None:
        which = unit[0] if unit else -1
        self._lost[which] = self._lost.get(which, 0) + 1
        if self._lost[which] >= TRIES:
            about = f"with pictures as {units[which][0]}" if unit else "before they had any work"
            first = str(error).strip().partition("\n")[0]
            raise SystemLimit(
                f"{TRIES} workers of Ray were lost {about} ({first}): is there memory for each?"
            )
        sys.stderr.write("darkroom: a worker of Ray was lost; another one takes its unit\n")


def _cause_of(error: Any) -> BaseException:
    """What a worker raised, as if it had been raised here."""
    cause = error.cause
    return cause if isinstance(cause, DarkroomError) else error


def _connected(engine: Engine) -> Any:
    """Ray, connected to a cluster: the one given, or one that is started here, once for a run."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    if engine.address is None or engine.address.startswith(LOOPBACK):
        os.environ.update(ON_LOOPBACK)
    try:
        import ray
    except ImportError as error:
        raise MissingLibrary(
            "expected Ray for engine.kind ray, found none: pip install 'darkroom[ray]'"
        ) from error
    if ray.is_initialized():
        return ray
    _require_answer(engine.address)
    started: dict[str, Any] = {} if engine.address else {
        "num_cpus": engine.workers or os.cpu_count(),
        "object_store_memory": STORE_BYTES,
        "include_dashboard": False,
    }  # fmt: skip
    with _own_signals():
        try:
            ray.init(
                address=engine.address or "local",
                log_to_driver=False,
                logging_level=logging.ERROR,
                **started,
            )
        except (RuntimeError, ValueError, ConnectionError, TimeoutError) as error:
            first = str(error).strip().partition("\n")[0]
            raise ParameterError(
                f"no cluster of Ray {ray.__version__} can be used at "
                f"{engine.address or 'this machine'} ({first}): the same versions of Ray and of "
                "Python have to run everywhere"
            ) from error
    return ray


def _require_answer(address: str | None) -> None:
    """ParameterError where nobody listens at HOST:PORT; Ray would ask for minutes."""
    host, _, port = (address or "").rpartition(":")
    if not (host and port.isdigit()):
        return
    try:
        socket.create_connection((host, int(port)), timeout=ANSWER_SECONDS).close()
    except OSError as error:
        raise ParameterError(
            f"no cluster of Ray answers at engine.address {address} ({error.strerror or error}): "
            "is it started, and reached from here?"
        ) from error


def disconnect() -> None:
    """Leave the cluster; one that was started here is gone afterwards."""
    ray = sys.modules.get("ray")
    if ray is not None and ray.is_initialized():
        ray.shutdown()


@contextlib.contextmanager
def _own_signals() -> Iterator[None]:
    """Ray takes over SIGTERM; whose it was before, it is again."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
