"""A backup of what no run can make again, in one zip, and the way back.

Lineages with the tables they name, logs of publications, and the ledger of downloads: some
megabytes. Pictures, features and models are not in it: runs make them again.
"""

import contextlib
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from storage import atomic, digests, generations
from storage.errors import ParameterError, SourceDamaged, StorageDamaged
from storage.inventory import damage
from storage.ledger import Ledger
from storage.workspace import Workspace

LIST = "backup.json"
# What a backup holds, by path in the workspace.
LEDGER = "downloads/ledger.sqlite"
OURS = re.compile(
    r"models/published/[^/\\\0]+\.history\.json|splits/lineage/[^/\\\0]+\.json"
    rf"|manifests/[0-9a-f]{{64}}\.parquet|{re.escape(LEDGER)}"
)
# What a stranger's zip may unpack to, in all.
MOST_BYTES = 4 * 2**30


class Restored(NamedTuple):
    """Files that were written, those that were the same already, and those that differ and stay."""

    written: list[Path]
    same: list[Path]
    different: list[Path]


def irreplaceable(workspace: Workspace) -> list[Path]:
    """What no run makes again, and the ledger; StorageDamaged where some of it cannot be read."""
    found = []
    for path in damage.irreplaceable(workspace):
        generations.read(workspace, path)
        if not damage.can_be_read(workspace, path):
            raise StorageDamaged(f"{path} is damaged: `darkroom cache verify --repair` first")
        found.append(path)
    if workspace.ledger.exists():
        found.append(workspace.ledger)
    return sorted(set(found))


def save(workspace: Workspace, target: Path) -> list[Path]:
    """Write a backup to `target`, whole or not at all; what is in it."""
    found = irreplaceable(workspace)

    def write(temporary: Path) -> None:
        listed = {}
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in found:
                name = workspace.relative(path)
                data = Ledger.copied(path) if name == LEDGER else path.read_bytes()
                listed[name] = digests.of_bytes(data)
                archive.writestr(name, data)
            archive.writestr(LIST, atomic.as_json(listed))

    atomic.write_file(target, write)
    return found


def restore(workspace: Workspace, source: Path, *, replace: bool = False) -> Restored:
    """Put back what a backup holds; of files that differ from it only with `replace`.

    A ledger gets the rows that it lacks.
    SourceDamaged, and nothing is written, where the zip holds anything else than a backup does.
    """
    contents = dict(_contents(source))
    outcome = Restored([], [], [])
    for name, data in contents.items():
        path = workspace.root / name
        if name == LEDGER:
            new = Ledger.merged(path, data, replace=replace)
            (outcome.written if new else outcome.same).append(path)
        elif path.is_file() and path.read_bytes() == data:
            outcome.same.append(path)
        elif path.exists() and not replace:
            outcome.different.append(path)
        else:
            generations.write(workspace, path, data)
            outcome.written.append(path)
    return outcome


def _contents(source: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every file of a backup, each as the backup's list says."""
    with _damage_said(source), zipfile.ZipFile(source) as archive:
        sizes = {one.filename: one.file_size for one in archive.infolist()}
        if sum(sizes.values()) > MOST_BYTES:
            raise ValueError(f"it unpacks to more than {MOST_BYTES / 2**30:.0f} GiB")
        listed = json.loads(archive.read(LIST))
        if set(listed) | {LIST} != set(sizes) or len(sizes) != len(archive.infolist()):
            raise ValueError("its list names other files than it has")
        for name, digest in sorted(listed.items()):
            data = archive.read(name)
            if not OURS.fullmatch(name) or digests.of_bytes(data) != digest:
                raise ValueError(f"{name[:80]!r} is damaged, or nothing that a backup holds")
            yield name, data


@contextlib.contextmanager
def _damage_said(source: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise ParameterError(f"there is no backup at {source}") from None
    except (OSError, ValueError, KeyError, AttributeError, zipfile.BadZipFile) as error:
        raise SourceDamaged(
            f"expected a backup made by `darkroom cache backup` at {source}, found none ({error})"
        ) from error
