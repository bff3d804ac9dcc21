"""Flow runs whose process ended without a word: Prefect is told, their half-written files go.

A running flow holds a lock in its workspace, which dies with its process, however that ends. The
next flow that begins there looks for locks that nobody holds.
"""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from filelock import FileLock, Timeout
from prefect import runtime
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.states import Crashed

from storage import locks
from storage.atomic import WRITER
from storage.inventory import looking
from storage.inventory.needs import halves
from storage.workspace import Workspace

PREFIX = "flow-run-"
LOST = (
    "an earlier run here ended without a word: killed, out of memory, or the machine went. "
    "What it had finished is kept"
)


@contextlib.contextmanager
def alive(workspace: Workspace) -> Iterator[None]:
    """Hold this flow run's lock during the block, once those that were lost are told of."""
    for path in workspace.locks.glob(f"{PREFIX}*.lock"):
        _tell_if_lost(workspace, path)
    with locks.held(workspace, f"{PREFIX}{runtime.flow_run.id}.{WRITER}") as path:
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _tell_if_lost(workspace: Workspace, path: Path) -> None:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return  # it runs
    try:
        run, _, writer = path.stem.removeprefix(PREFIX).partition(".")
        sys.stderr.write(f"darkroom: {LOST}\n")
        looking.remove(halves(workspace, writer) if writer else ())
        _tell(run)
        path.unlink(missing_ok=True)
    finally:
        lock.release()


def _tell(run: str) -> None:
    """Nothing is done of a run that ended, or that this server does not know."""
    client = get_client(sync_client=True)
    with contextlib.suppress(ObjectNotFound, ValueError):
        state = client.read_flow_run(UUID(run)).state
        if state is not None and not state.is_final():
            message = "Its process ended without a word: killed, out of memory, or the machine went"
            client.set_flow_run_state(UUID(run), Crashed(message=message), force=True)
