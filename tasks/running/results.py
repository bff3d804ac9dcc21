"""The results of steps, by key: read as Prefect wrote them, and dropped where they are not whole.

Prefect keeps a step's reference as JSON in `results/<key>`, with its digest; a reference that no
longer points to something whole is dropped before Prefect can take it for a hit. Reading needs no
Prefect.
"""

from storage import elsewhere, locks
from storage.locks import Lock
from storage.references import Reference, stored
from storage.wholeness import is_whole
from storage.workspace import Workspace


def cached_reference(workspace: Workspace, key: str) -> Reference | None:
    """The whole reference kept under `key`, here or in the remote, or None."""
    reference = stored(workspace.results / key)
    if reference is not None and is_whole(workspace, reference):
        return reference
    pulled = elsewhere.pull(workspace, key)
    return pulled if pulled is not None and is_whole(workspace, pulled) else None


def drop_broken(workspace: Workspace, key: str) -> None:
    """Remove the result under `key` if what it refers to is not whole.

    Under the key's lock: Prefect writes a result in place, and half of it looks broken.
    """
    path = workspace.results / key
    if path.exists() and cached_reference(workspace, key) is None:
        with lock_of(workspace, key):
            if cached_reference(workspace, key) is None:
                path.unlink(missing_ok=True)


def lock_of(workspace: Workspace, key: str) -> Lock:
    """The lock of a key, not yet acquired."""
    return locks.of(workspace, key, thread_local=False)
