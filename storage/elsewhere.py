"""The door to what machines share (`$DARKROOM_REMOTE`); without one nothing of it is imported."""

import contextlib
import functools
import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from storage.errors import RemoteAway, WorkspaceReadOnly
from storage.workspace import Workspace

if TYPE_CHECKING:
    from storage.references import Reference
    from storage.remote.sharing import Remote

REMOTE_VARIABLE = "DARKROOM_REMOTE"
# How the keys of the step begin that continues a pointer.
SPLIT = "split-"


def remote(workspace: Workspace) -> "Remote | None":
    """The remote of this workspace, None without one; nothing is asked of it yet."""
    address = os.environ.get(REMOTE_VARIABLE)
    return _opened(address, workspace) if address else None


@functools.cache
def _opened(address: str, workspace: Workspace) -> "Remote":
    from storage.remote.opening import opened
    from storage.remote.sharing import Remote

    return Remote(opened(address), workspace)


def fetched(path: Path) -> bool:
    """Whether a file of the workspace that is not here was found in the remote, and is here now."""
    shared = remote_of(path)
    if shared is None:
        return False
    found = bool(shared.fetch(path))
    if shared.away and not found:
        raise RemoteAway(f"{shared.away}: {path} may be there, and is not here")
    return found


def fetch_all(paths: Iterable[Path]) -> None:
    """Bring those of these files that are not here, side by side, from the remote if there is one.

    All are files of one workspace.
    """
    if os.environ.get(REMOTE_VARIABLE):
        lacking = [path for path in paths if not path.exists()]
        shared = remote_of(lacking[0]) if lacking else None
        if shared is not None:
            shared.fetch_all(lacking)
            if shared.away:
                raise RemoteAway(f"{shared.away}: {lacking[0]} may be there, and is not here")


def catch_up(folder: Path, wanted: Collection[str]) -> bool:
    """Whether the remote had shards of a store with these names; they are here now."""
    shared = remote_of(folder)
    return shared is not None and bool(shared.catch_up(folder, wanted))


def holds(path: Path, size: int | None = None) -> bool:
    """Whether the remote has this file of the workspace, with this size if it is given."""
    shared = remote_of(path)
    return shared is not None and bool(shared.holds(path, size))


def pull(workspace: Workspace, key: str) -> "Reference | None":
    """What the remote keeps under a step's key, with all that it takes here to be whole."""
    shared = remote(workspace)
    if shared is None:
        return None
    with contextlib.suppress(WorkspaceReadOnly):  # nothing can be brought here, nor has to be
        workspace.made()
        if key.startswith(SPLIT):
            exchange_pointers(workspace)  # a sticky split is whole only with its lineage
        return shared.pull(key)
    return None


def push(workspace: Workspace, key: str, reference: "Reference", *, anew: bool) -> None:
    """Give the remote what a step made; unless it was made `anew`, what was given is not again."""
    shared = remote(workspace)
    if shared is not None:
        if key.startswith(SPLIT):
            exchange_pointers(workspace)
        shared.push(key, reference, anew=anew)


def push_file(workspace: Workspace, path: Path) -> None:
    """Give the remote one file of the workspace, unless it has it."""
    shared = remote(workspace)
    if shared is not None:
        shared.push_files([path])


def push_shards(workspace: Workspace, folder: Path) -> None:
    """Give the remote all shards of a store that it lacks."""
    shared = remote(workspace)
    if shared is not None:
        shared.push_files(sorted(folder.glob("[!.]*.arrow")))


def begin(workspace: Workspace) -> None:
    """Forget what was seen of the remote before, and exchange pointers: a run begins."""
    shared = remote(workspace)
    if shared is not None:
        shared.forget()
        exchange_pointers(workspace)


def exchange_pointers(workspace: Workspace) -> None:
    """Take over what other machines published and split, and tell them what this one did."""
    shared = remote(workspace)
    if shared is not None:
        from storage.remote import pointers

        pointers.exchange(shared)


def tell_if_away(workspace: Workspace) -> None:
    """One line on standard error where the remote did not answer."""
    shared = remote(workspace)
    if shared is not None:
        shared.tell_if_away()


def remote_of(path: Path) -> "Remote | None":
    """The remote of the workspace that `path` belongs to; None without one."""
    if not os.environ.get(REMOTE_VARIABLE):
        return None
    workspace = Workspace.current()
    return remote(workspace) if path.is_relative_to(workspace.root) else None
