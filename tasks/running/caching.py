"""The cache policy, the locks and the progress artifact that all seven steps share.

A step's key is made of its name, the digests of its inputs, its parameters and a fingerprint of its
code (docs/architecture.md, "A step"). Prefect keeps the references under that key; a reference that
no longer points to something whole is dropped before Prefect can take it for a hit.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import CachePolicy
from prefect.context import TaskRunContext
from prefect.filesystems import LocalFileSystem
from prefect.locking.protocol import LockManager
from prefect.results import ResultStore
from prefect.serializers import JSONSerializer
from prefect.tasks import Task
from prefect.transactions import IsolationLevel
from pydantic import BaseModel

from storage import digests
from storage.references import Reference
from storage.wholeness import is_whole
from storage.workspace import Workspace
from tasks.running import code_fingerprint

CODE = "code"


def key_parts(step: Task[..., Any], inputs: dict[str, Any]) -> dict[str, str]:
    """Everything that the result of a step depends on, as one flat table of texts.

    The step's package gives the code fingerprint; inputs that are not given count with their
    defaults, those that its policy names as without effect do not count.
    """
    policy = step.cache_policy
    assert isinstance(policy, ByContent), step.name
    parts = {CODE: code_fingerprint.fingerprint(step.fn.__module__.rpartition(".")[0])}
    bound = inspect.signature(step.fn).bind(**inputs)
    bound.apply_defaults()
    for name, value in bound.arguments.items():
        if name not in policy.without_effect:
            parts.update(_flat(name, value))
    return {name: text for name, text in parts.items() if name not in policy.without_effect}


def _flat(name: str, value: Any) -> dict[str, str]:
    if isinstance(value, Reference):
        return {name: value.digest}
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    if isinstance(value, dict):
        return {
            k: v for key, part in value.items() for k, v in _flat(f"{name}.{key}", part).items()
        }
    if isinstance(value, list | tuple):
        plain = [
            item.model_dump(mode="json") if isinstance(item, BaseModel) else item for item in value
        ]
        return {name: digests.as_text(plain)}
    return {name: digests.as_text(value)}


def key_of(step_name: str, parts: dict[str, str]) -> str:
    """The cache key: letters, digits and one dash (other separators are unsafe in Prefect)."""
    return f"{step_name}-{digests.of_value(parts)[:40]}"


class Locks(LockManager):
    """Locks between processes that die with their holder (`flock` through filelock)."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[str, FileLock]] = {}

    def __getstate__(self) -> dict[str, Any]:
        # Prefect copies policies; descriptors must stay with the process that opened them.
        return {"_held": {}}

    def _lock(self, key: str) -> FileLock:
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


@dataclass
class ByContent(CachePolicy):
    """Hit when a step of this code has already been given these inputs and its result is whole.

    `without_effect` names inputs (`workers`), or fields of inputs (`source.per_host_rate`), that
    change how fast a step is done, never what comes out.
    """

    without_effect: frozenset[str] = frozenset()
    isolation_level: Any = IsolationLevel.SERIALIZABLE
    lock_manager: Any = field(default_factory=Locks)

    def compute_key(
        self,
        task_ctx: TaskRunContext,
        inputs: dict[str, Any],
        flow_parameters: dict[str, Any],
        **kwargs: Any,
    ) -> str:
        """The step's key; a record under it that points to nothing whole is removed first."""
        key = key_of(task_ctx.task.name, key_parts(task_ctx.task, inputs))
        drop_broken(Workspace.current(), key)
        return key


BY_CONTENT = ByContent()


def in_workspace(step: Task[..., Any], workspace: Workspace, *, refresh: bool) -> Task[..., Any]:
    """The step with its results kept in `workspace`; with `refresh` it runs even on a hit."""
    return step.with_options(
        persist_result=True,
        result_storage=workspace.results,
        result_serializer="json",
        cache_result_in_memory=False,
        refresh_cache=refresh,
    )


def cached_reference(workspace: Workspace, key: str) -> Reference | None:
    """The whole reference kept under `key`, or None; nothing is changed."""
    if not (workspace.results / key).exists():
        return None
    reference = _read(workspace.results, key)
    return reference if reference is not None and is_whole(workspace, reference) else None


def drop_broken(workspace: Workspace, key: str) -> None:
    """Remove the record under `key` if what it refers to is not whole.

    Under the key's lock: Prefect writes a record in place, and half of it looks broken.
    """
    path = workspace.results / key
    if path.exists() and cached_reference(workspace, key) is None:
        with lock_of(workspace, key):
            if cached_reference(workspace, key) is None:
                path.unlink(missing_ok=True)


def lock_of(workspace: Workspace, key: str) -> FileLock:
    """The lock of a key, not yet acquired."""
    workspace.locks.mkdir(parents=True, exist_ok=True)
    return FileLock(workspace.locks / f"{key}.lock", thread_local=False)


def _read(folder: Path, key: str) -> Reference | None:
    store = ResultStore(
        result_storage=LocalFileSystem(basepath=str(folder)), serializer=JSONSerializer()
    )
    try:
        value = store.read(key).result
    except (OSError, ValueError, KeyError, ImportError, AttributeError):
        # Half-written, or of a class that has moved: as good as absent, the step runs again.
        return None
    return value if isinstance(value, Reference) else None


def progress_artifact(step_name: str) -> Callable[[float], None]:
    """A function that shows a share done (0 to 1) in Prefect's page of this run."""
    identifier: list[Any] = []

    def show(share: float) -> None:
        percent = round(100 * share, 1)
        if identifier:
            update_progress_artifact(identifier[0], progress=percent)
        else:
            identifier.append(
                create_progress_artifact(progress=percent, key=f"{step_name}-progress")
            )

    return show
