"""What moves, shared: which models are published, and where sticky splits put pictures.

Each is a file that no run can make again, with copies (storage/generations.py). It is exchanged
when a run begins and when it ends: who has not changed it since takes over the other's, and it
moves in the remote only from the version that was seen (compare-and-swap). Where both changed it,
logs of publications are merged; of two sticky splits the remote's stays, and is said to.
"""

import json
import sys
from pathlib import Path

from storage import atomic, digests, generations, publications
from storage.errors import StorageDamaged
from storage.folders import LATEST
from storage.names import as_file_name
from storage.remote.objects import Pointer, require_safe
from storage.remote.sharing import ODD, Remote, unless_away

LINEAGES = "splits/lineage"
PUBLISHED = f"models/{publications.FOLDER}"
SEEN = "pointers"
# Another machine may move a pointer between a look and a swap, but not for ever.
TRIES = 10


@unless_away
def exchange(remote: Remote) -> None:
    """Make this workspace and the remote agree on every pointer, if the remote answers."""
    remote.require_known_format()
    here = {
        remote.workspace.relative(path)
        for folder, pattern in ((LINEAGES, "[!.]*.json"), (PUBLISHED, "[!.]*.history.json"))
        for path in (remote.workspace.root / folder).glob(pattern)
    }
    there = {
        one.name
        for folder in (LINEAGES, PUBLISHED)
        for one in remote.objects.names(folder)
        if one.name.endswith(".json")
    }
    for name in sorted(here | there):
        for _ in range(TRIES):
            if _agreed(remote, require_safe(name)):
                break


def _agreed(remote: Remote, name: str) -> bool:
    """Whether both hold the same now; False where another machine was faster."""
    path = remote.workspace.root / name
    mark = remote.marks / SEEN / name.replace("/", "~")
    ours = generations.read(remote.workspace, path)
    theirs = remote.objects.pointer(name)
    seen = mark.read_text() if mark.exists() else ""
    if theirs.data is None or (theirs.data != ours and _digest(theirs.data) == seen):
        if ours is None or not _moved(remote, name, ours, theirs):
            return False
    elif theirs.data != ours:
        if ours is not None and _digest(ours) != seen:
            merged = _merged(name, ours, theirs.data)
            if merged != theirs.data and not _moved(remote, name, merged, theirs):
                return False
        else:
            merged = theirs.data
        if not _taken_over(remote, path, merged):
            return True
        ours = merged
    atomic.write_bytes(mark, _digest(ours or b"").encode())
    return True


def _moved(remote: Remote, name: str, data: bytes, seen: Pointer) -> bool:
    """Whether the remote's pointer holds `data` now; what it points to is there before."""
    for place in places(name, data):
        path = remote.workspace.root / place
        if path.is_dir():
            remote.push_folder(path)
        elif path.exists():
            remote.push_files([path])
    return remote.objects.move_pointer(name, data, seen.version)


def _taken_over(remote: Remote, path: Path, data: bytes) -> bool:
    """Make the pointer here hold what the remote's holds, once what that points to is here."""
    workspace, name = remote.workspace, remote.workspace.relative(path)
    for place in places(name, data):
        target = workspace.root / place
        if not remote.bring(place):
            sys.stderr.write(
                f"darkroom: {name} of the remote {remote.objects.address} is left alone: {place}, "
                "which it points to, is not there\n"
            )
            return False
        if target.suffix:
            generations.keep(workspace, target)
    generations.write(workspace, path, data)
    if name.startswith(PUBLISHED):
        _show(remote, publications.named(path))
    return True


def _show(remote: Remote, experiment: str) -> None:
    """The link, the card and, where this machine has no report, the latest follow the log."""
    current = publications.current(remote.workspace, experiment)
    if current is not None:
        latest = remote.workspace.reports / as_file_name(experiment) / LATEST
        if not latest.exists():
            atomic.point(latest, remote.workspace.root / current.report)


def places(name: str, data: bytes) -> list[str]:
    """What a pointer's content points to, as paths of the workspace."""
    try:
        if name.startswith(PUBLISHED):
            standing = publications.standing_in(data)
            found = [standing.model, standing.evaluation, standing.report] if standing else []
        else:
            content = json.loads(data)
            both = (content["assignment"], content["previous"])
            found = [one["where"] for one in both if one]
        return list(map(require_safe, found))
    except ODD as error:
        raise StorageDamaged(f"{name} in the remote is damaged ({error})") from error


def _merged(name: str, ours: bytes, theirs: bytes) -> bytes:
    if name.startswith(PUBLISHED):
        return publications.merged(ours, theirs)
    sys.stderr.write(
        f"darkroom: another machine has split these pictures meanwhile ({name}): its split stays, "
        "and the next run here continues it\n"
    )
    return theirs


def _digest(data: bytes) -> str:
    return digests.of_bytes(data)
