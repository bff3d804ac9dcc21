"""Steps as Prefect's tasks: the cache policy, and locks between processes that need one key."""

import json
from dataclasses import dataclass, field
from typing import Any

from filelock import Timeout
from prefect import task
from prefect.cache_policies import CachePolicy
from prefect.context import TaskRunContext
from prefect.locking.protocol import LockManager
from prefect.serializers import Serializer
from prefect.tasks import Task
from prefect.transactions import IsolationLevel

from storage import elsewhere
from storage.locks import Lock
from storage.references import SERIALIZER, Reference, as_stored, of_stored, stored
from storage.workspace import Workspace
from tasks.running.results import drop_broken, lock_of
from tasks.running.steps import Step, key_of, key_parts


class Locks(LockManager):
    """Locks between processes that die with their holder (`flock` through filelock)."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[str, Lock]] = {}

    def __getstate__(self) -> dict[str, Any]:
        # Prefect copies policies; descriptors must stay with the process that opened them.
        return {"_held": {}}

    def _lock(self, key: str) -> Lock:
        return lock_of(Workspace.current(), key)

    def acquire_lock(
        self,
        key: str,
        holder: str,
        acquire_timeout: float | None = None,
        hold_timeout: float | None = None,
    ) -> bool:
        """Wait for the lock, at most `acquire_timeout` seconds; it is held until it is released."""
        if self.is_lock_holder(key, holder):
            return True
        lock = self._lock(key)
        try:
            lock.acquire(timeout=-1 if acquire_timeout is None else acquire_timeout)
        except Timeout:
            return False
        self._held[key] = (holder, lock)
        workspace = Workspace.current()
        if not (workspace.results / key).exists():
            # Prefect looks for a result once it has the lock: whose it was may have made it.
            elsewhere.pull(workspace, key)
        return True

    async def aacquire_lock(
        self,
        key: str,
        holder: str,
        acquire_timeout: float | None = None,
        hold_timeout: float | None = None,
    ) -> bool:
        """The same; steps are synchronous, so that there is no loop to keep free."""
        return self.acquire_lock(key, holder, acquire_timeout, hold_timeout)

    def release_lock(self, key: str, holder: str) -> None:
        """Free the lock; ValueError if `holder` does not have it."""
        if not self.is_lock_holder(key, holder):
            raise ValueError(f"{holder!r} does not hold the lock {key!r}")
        workspace = Workspace.current()
        try:
            made = stored(workspace.results / key)
            if made is not None:
                # Whoever waits for the lock on another machine looks for it there.
                elsewhere.push(workspace, key, made, anew=False)
        finally:
            self._held.pop(key)[1].release()

    def is_locked(self, key: str) -> bool:
        """Whether anybody holds the lock."""
        return key in self._held or not self.wait_for_lock(key, timeout=0)

    def is_lock_holder(self, key: str, holder: str) -> bool:
        """Whether `holder`, in this process, has the lock."""
        return key in self._held and self._held[key][0] == holder

    def wait_for_lock(self, key: str, timeout: float | None = None) -> bool:
        """Wait until the lock is free; False if it is not within `timeout` seconds."""
        lock = self._lock(key)
        try:
            lock.acquire(timeout=-1 if timeout is None else timeout)
        except Timeout:
            return False
        lock.release()
        return True

    async def await_for_lock(self, key: str, timeout: float | None = None) -> bool:
        """The same as `wait_for_lock`."""
        return self.wait_for_lock(key, timeout)


class ReferenceSerializer(Serializer):
    """References as JSON with a digest: a flipped bit in a kept result is no other result."""

    type: str = SERIALIZER

    def dumps(self, obj: Reference) -> bytes:
        """The bytes to keep."""
        return json.dumps(as_stored(obj)).encode()

    def loads(self, blob: bytes) -> Reference:
        """The reference; ValueError if it is not what was kept."""
        return of_stored(json.loads(blob))


@dataclass
class ByContent(CachePolicy):
    """Hit when the step, of this code, was given these inputs before and its result is whole."""

    step: Step = field(kw_only=True)
    isolation_level: Any = IsolationLevel.SERIALIZABLE
    lock_manager: Any = field(default_factory=Locks)

    def compute_key(
        self,
        task_ctx: TaskRunContext,
        inputs: dict[str, Any],
        flow_parameters: dict[str, Any],
        **kwargs: Any,
    ) -> str:
        """The step's key; a result under it that points to nothing whole is removed first."""
        key = key_of(self.step.name, key_parts(self.step, inputs))
        drop_broken(Workspace.current(), key)
        return key


def task_of(step: Step, workspace: Workspace, *, refresh: bool) -> Task[..., Any]:
    """The step as a task with its results in `workspace`; with `refresh` it runs even on a hit."""
    return task(
        name=step.name,
        task_run_name=step.name,
        cache_policy=ByContent(step=step),
        persist_result=True,
        result_storage=workspace.results,
        result_serializer=ReferenceSerializer(),
        cache_result_in_memory=False,
        refresh_cache=refresh,
    )(step.fn)
