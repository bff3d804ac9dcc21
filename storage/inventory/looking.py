"""Looking through a workspace: how much there is, what is damaged, strange or not needed."""

import re
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from storage import generations, publications
from storage.inventory.damage import is_folder, lines
from storage.inventory.kinds import KINDS, all_files, kind_of
from storage.inventory.needs import Needs, leftovers
from storage.names import as_file_name
from storage.workspace import Workspace

STRANGE = "strange"


class Size(NamedTuple):
    """How much there is of one kind of thing."""

    name: str
    files: int
    bytes: int


def sizes(workspace: Workspace) -> list[Size]:
    """Files and bytes by kind; hard links of split trees count once, with the images."""
    files: dict[str, int] = defaultdict(int)
    total_bytes: dict[str, int] = defaultdict(int)
    for path, kind in all_files(workspace):
        name = kind.name if kind else STRANGE
        files[name] += 1
        status = path.stat()
        if name != "splits" or status.st_nlink == 1:
            total_bytes[name] += status.st_size
    names = [*(kind.name for kind in KINDS), *([STRANGE] if STRANGE in files else [])]
    return [Size(name, files[name], total_bytes[name]) for name in names]


def damaged(workspace: Workspace, begin: Callable[[str], None] = lambda _: None) -> list[Path]:
    """Everything stored whose content is not what it should be; all is read.

    `begin` is told the name of each kind before it is looked at.
    """
    found: set[Path] = set()
    for kind in KINDS:
        begin(kind.name)
        found.update(kind.damaged(workspace))
    return sorted(found)


def strange(workspace: Workspace) -> list[Path]:
    """Files of no kind: somebody else's."""
    return sorted(path for path, kind in all_files(workspace) if kind is None)


def unneeded(workspace: Workspace, *, older_than_seconds: float = 0.0) -> list[Path]:
    """Files and folders that can go, sorted.

    What was written within the last `older_than_seconds` is left alone, since a running step may
    be about to refer to it; leftovers of killed writes go after LEFTOVER_SECONDS, and killed work
    that a run could take up again, its pictures and features included, goes UNFINISHED_DAYS after
    it was last written to.
    """
    needs = Needs.of(workspace, older_than_seconds)
    gone = [path for kind in KINDS for path in kind.unneeded(workspace, needs)]
    return sorted([*gone, *leftovers(workspace, set(gone))])


def of_experiment(workspace: Workspace, experiment: str) -> list[Path]:
    """What is this experiment's alone: its reports, records, publications and sticky splits.

    What they point to (models, features, pictures) is not among it, others may need it too.
    """
    name = as_file_name(experiment)
    link = publications.link(workspace, experiment)
    log = link.with_name(link.name + publications.HISTORY)
    mine = [path for path in lines(workspace) if re.fullmatch(rf"{re.escape(name)}-\d+", path.stem)]
    own = [
        workspace.reports / name,
        workspace.records / name,
        link,
        link.with_name(link.name + publications.CARD),
        *(one for path in (log, *mine) for one in (path, generations.folder(workspace, path))),
    ]
    return [path for path in own if path.exists() or path.is_symlink()]


def by_kind(workspace: Workspace, paths: list[Path]) -> dict[str, list[Path]]:
    """`paths` by the kind of thing they are, in the order of KINDS."""
    groups: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        kind = kind_of(workspace, path)
        groups[kind.name if kind else path.relative_to(workspace.root).parts[0]].append(path)
    order = [kind.name for kind in KINDS]
    return {name: groups[name] for name in sorted(groups, key=lambda one: _rank(order, one))}


def _rank(order: list[str], name: str) -> int:
    return order.index(name) if name in order else len(order)


def total(paths: list[Path]) -> int:
    """Bytes of these files and of the files in these folders."""
    files = [file for path in paths for file in (path.rglob("*") if is_folder(path) else [path])]
    return sum(file.stat().st_size for file in files if file.is_file() and not file.is_symlink())


def remove(paths: Iterable[Path]) -> None:
    """Delete these files and folders; what is gone already is no error."""
    for path in paths:
        if is_folder(path):
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
