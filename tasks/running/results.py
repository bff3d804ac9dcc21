"""The results of steps, by key: read as Prefect wrote them, and dropped where they are not whole.

Prefect keeps a step's reference as JSON in `results/<key>`; a reference that no longer points to
something whole is dropped before Prefect can take it for a hit. Reading needs no Prefect.
"""

import json
from pathlib import Path

from filelock import FileLock

from storage.references import Reference
from storage.wholeness import is_whole
from storage.workspace import Workspace


def cached_reference(workspace: Workspace, key: str) -> Reference | None:
    """The whole reference kept under `key`, or None; nothing is changed."""
    reference = _read(workspace.results / key)
    return reference if reference is not None and is_whole(workspace, reference) else None


def drop_broken(workspace: Workspace, key: str) -> None:
    """Remove the result under `key` if what it refers to is not whole.

    Under the key's lock: Prefect writes a result in place, and half of it looks broken.
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


def _read(path: Path) -> Reference | None:
    """What Prefect's JSONSerializer wrote; None of what is half-written or of another class."""
    kinds = {f"{kind.__module__}.{kind.__qualname__}": kind for kind in Reference.__subclasses__()}
    try:
        value = json.loads(json.loads(path.read_bytes())["result"])
        return kinds[value["__class__"]].model_validate(value["data"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
