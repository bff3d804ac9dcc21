"""Looking through a remote: how much there is, what is damaged or not needed.

What is needed is told from a scratch workspace that holds what the remote's tables, records and
lists say, and of pictures, features and models only how large and how old they are: no object is
asked for one by one to learn that.
"""

import json
import os
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from storage import digests, elsewhere, records
from storage.errors import ParameterError
from storage.folders import CONTENTS, RUN
from storage.inventory import looking
from storage.inventory.kinds import KINDS, kind_of
from storage.inventory.looking import STRANGE, Size
from storage.references import stored
from storage.remote.objects import SAFE, Entry
from storage.remote.pointers import PUBLISHED, places
from storage.remote.sharing import AT_A_TIME, ODD, SHARD, Remote, check_of
from storage.workspace import Workspace

Begin = Callable[[str], None]


def of(workspace: Workspace) -> Remote:
    """The remote of the workspace; ParameterError where none is named."""
    found = elsewhere.remote(workspace)
    if found is None:
        raise ParameterError(
            f"expected a folder or a bucket in {elsewhere.REMOTE_VARIABLE}, found nothing there: "
            "set it to what machines share, as in s3://BUCKET/PREFIX"
        )
    return found


def sizes(remote: Remote) -> list[Size]:
    """Files and bytes by kind."""
    found: dict[str, list[int]] = defaultdict(list)
    for entry in remote.objects.names(""):
        kind = kind_of(remote.workspace, remote.workspace.root / entry.name)
        found[kind.name if kind else STRANGE].append(entry.bytes)
    names = [*(kind.name for kind in KINDS), STRANGE]
    return [Size(name, len(found[name]), sum(found[name])) for name in names if name in found]


def damaged(remote: Remote, begin: Begin = lambda _: None) -> list[str]:
    """The names of objects that do not hold what they should, or are missing; all are read.

    A step's record is damaged where what it points to is.
    """
    there = {entry.name: entry.bytes for entry in remote.objects.names("")}
    bad: set[str] = {name for name in there if not SAFE.fullmatch(name)}
    with tempfile.TemporaryDirectory() as scratch:
        for folder in dict.fromkeys(name.partition("/")[0] for name in there):
            begin(folder)
            names = [name for name in there if name.partition("/")[0] == folder and name not in bad]
            look = _Look(remote, Path(scratch), there)
            with ThreadPoolExecutor(AT_A_TIME) as pool:
                bad.update(one for found in pool.map(look.damage, names) for one in found)
        for name in there:
            if name.startswith("results/") and bad.intersection(look.pointed_to(name)):
                bad.add(name)
    return sorted(bad)


class _Look:
    """Looks at one object after the other; those beside it are known by their names and sizes."""

    def __init__(self, remote: Remote, scratch: Path, there: dict[str, int]) -> None:
        self._objects = remote.objects
        self._scratch = scratch
        self._there = there

    def damage(self, name: str) -> list[str]:
        """What is wrong with this object: its own name, and those that it misses."""
        looks: tuple[tuple[bool, Callable[[str], list[str]]], ...] = (
            (_is_named_by_digest(name), partial(self._held, check=check_of(name))),
            (name.endswith(f"/{CONTENTS}"), self._folder),
            (name.startswith("results/"), self._record),
            (name.startswith(("splits/", f"{PUBLISHED}/")), self._pointer),
            (name.startswith("records/"), partial(self._held, check=records.is_readable)),
            (name.startswith("features/"), self._listed),
        )
        return next((look(name) for fits, look in looks if fits), [])

    def _held(self, name: str, check: Callable[[Path], bool]) -> list[str]:
        return [] if self._holds(name, check) else [name]

    def _record(self, name: str) -> list[str]:
        wanted = self.pointed_to(name)
        lost = [one for one in wanted if one not in self._there]
        return [] if wanted and not lost else [name, *lost]

    def pointed_to(self, name: str) -> list[str]:
        """What a step's record says its result is; nothing of one that cannot be read."""
        found: list[str] = []

        def read(path: Path) -> bool:
            reference = stored(path)
            if reference is not None:
                folder = not Path(reference.where).suffix
                found.append(f"{reference.where}/{CONTENTS}" if folder else reference.where)
            return True

        self._holds(name, read)
        return found

    def _folder(self, name: str) -> list[str]:
        folder = name.removesuffix(CONTENTS)
        try:
            named = json.loads(self._objects.get(name) or b"")
            wanted = {folder + one: known["sha256"] for one, known in named.items()}
        except ODD:
            return [name]
        lost = [one for one in wanted if not self._is(one, wanted[one])]
        return [name, *lost] if lost else []

    def _is(self, name: str, digest: str) -> bool:
        return name in self._there and self._holds(
            name, lambda path: digests.of_file(path) == digest
        )

    def _pointer(self, name: str) -> list[str]:
        try:
            found = places(name, self._objects.get(name) or b"")
        except ODD:
            return [name]
        wanted = [one if Path(one).suffix else f"{one}/{CONTENTS}" for one in found]
        return [one for one in wanted if one not in self._there]

    def _listed(self, name: str) -> list[str]:
        try:
            value = json.loads(self._objects.get(name) or b"")
            space = name.partition("/sets/")[0]
            listed = value["shards"].items() if "/sets/" in name else ()
        except ODD:
            return [name]
        lost = [
            f"{space}/{one}" for one, size in listed if self._there.get(f"{space}/{one}") != size
        ]
        return [name, *lost] if lost else []

    def _holds(self, name: str, check: Callable[[Path], bool]) -> bool:
        # Records are known by the name of their file.
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            target = Path(folder, Path(name).name)
            return self._objects.fetch(name, target) and check(target)


def _is_named_by_digest(name: str) -> bool:
    return name.startswith(("images/", "manifests/")) or name.endswith(SHARD)


def unneeded(remote: Remote, *, older_than_seconds: float) -> list[Entry]:
    """The objects that no record, report or publication in the remote needs, sorted by name."""
    there = {entry.name: entry for entry in remote.objects.names("") if SAFE.fullmatch(entry.name)}
    with _shadow(remote, there.values()) as workspace:
        gone = looking.unneeded(workspace, older_than_seconds=older_than_seconds)
        files = [file for path in gone for file in (path.rglob("*") if path.is_dir() else [path])]
        names = [workspace.relative(file) for file in files]
    return [there[name] for name in sorted(names) if name in there]


@contextmanager
def _shadow(remote: Remote, entries: Iterable[Entry]) -> Iterator[Workspace]:
    """A scratch workspace as the remote is: contents where they say what is needed, else sizes."""
    with tempfile.TemporaryDirectory() as scratch:
        workspace = Workspace(Path(scratch).resolve())
        youngest: dict[Path, float] = defaultdict(float)

        def shown(entry: Entry) -> None:
            path = workspace.root / entry.name
            path.parent.mkdir(parents=True, exist_ok=True)
            if not (_tells(entry.name) and remote.objects.fetch(entry.name, path)):
                path.touch()
                os.truncate(path, entry.bytes)  # takes no room on the disk

        entries = list(entries)
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            list(pool.map(shown, entries))
        for entry in entries:
            path = workspace.root / entry.name
            os.utime(path, (entry.written, entry.written))
            for folder in path.relative_to(workspace.root).parents:
                place = workspace.root / folder
                youngest[place] = max(youngest[place], entry.written)
        for folder, when in youngest.items():
            os.utime(folder, (when, when))
        yield workspace


def _tells(name: str) -> bool:
    """Whether an object says what is needed: tables, records, lists, logs, facts by picture."""
    top = name.partition("/")[0]
    if top in ("manifests", "records", "results", "facts"):
        return True
    if name.startswith(("splits/", f"{PUBLISHED}/")):
        return True
    return name.endswith((f"/{RUN}", f"/{CONTENTS}")) or "/sets/" in name
