"""What a workspace gives to its remote, and takes from it.

A remote is laid out as a workspace: what lies at a path here has the same path there. Only what its
own digest names is shared, so that whoever comes first is right, and every byte that comes from
there is checked before it takes its place here. Trees of links, locks, memos and unfinished work
stay where they are.

A remote that does not answer is not asked again by this process; the run goes on without it.
"""

import contextlib
import functools
import json
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

import pyarrow as pa

from storage import atomic, digests, folders, manifests
from storage.errors import RemoteAway, StorageDamaged
from storage.folders import CONTENTS
from storage.references import (
    CollectionRef,
    FeaturesRef,
    ImagesRef,
    Reference,
    SplitRef,
    as_result,
    stored,
)
from storage.remote.objects import LONGEST, Objects, require_safe
from storage.workspace import FORMAT, Workspace

AT_A_TIME = 16
NAME = "image"
SPACE = "space.json"
SHARD = ".arrow"
# Of the digest of an address, which names what that remote has been given.
LETTERS = 16
ODD = (OSError, ValueError, KeyError, TypeError, AttributeError, StorageDamaged)


class DamagedThere(Exception):
    """What came from the remote is not what it should be."""


Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def unless_away(
    method: Callable[Arguments, Result],
) -> Callable[Arguments, Result | None]:
    """The method; None where the remote does not answer, now or before in this process."""

    @functools.wraps(method)
    def asked(*given: Arguments.args, **named: Arguments.kwargs) -> Result | None:
        remote = given[0]
        assert isinstance(remote, Remote)
        if remote.away:
            return None
        try:
            return method(*given, **named)
        except RemoteAway as error:
            remote.away = str(error)
            return None

    return asked


class Remote:
    """The remote of a workspace, and what this process knows of it."""

    def __init__(self, objects: Objects, workspace: Workspace) -> None:
        self.objects = objects
        self.workspace = workspace
        self._damaged: set[str] = set()
        self.forget()

    def forget(self) -> None:
        """Know nothing of the remote: it may answer again, and others have written to it."""
        self.away = ""
        self._listed: dict[str, dict[str, int]] = {}
        self._names_in: dict[str, list[str]] = {}
        self._told = False
        self._is_known = False

    # What is there

    @unless_away
    def holds(self, path: Path, size: int | None = None) -> bool:
        """Whether this file of the workspace is in the remote; it is listed once in a process."""
        name = self.workspace.relative(path)
        found = self.listed(name.partition("/")[0]).get(name)
        return found is not None and size in (None, found) and name not in self._damaged

    def listed(self, folder: str) -> dict[str, int]:
        """Name -> bytes of all objects in this folder of the remote."""
        if folder not in self._listed:
            self._listed[folder] = {one.name: one.bytes for one in self.objects.names(folder)}
        return self._listed[folder]

    def require_known_format(self) -> None:
        """RemoteAway where a newer Darkroom stored what is there; asked once in a process."""
        if self._is_known:
            return
        name = self.workspace.relative(self.workspace.marker)
        found = self.objects.get(name)
        try:
            written = FORMAT if found is None else int(json.loads(found)["format"])
        except (ValueError, LookupError, TypeError):
            written = FORMAT
        if written > FORMAT:
            raise RemoteAway(
                f"the remote {self.objects.address} was written by a newer Darkroom (format "
                f"{written}, this one knows {FORMAT}), and is left alone"
            )
        if found is None:
            self.objects.put_if_absent(name, atomic.as_json({"format": FORMAT}))
        self._is_known = True

    # From here to there

    @unless_away
    def push(self, key: str, reference: Reference, *, anew: bool = False) -> None:
        """Give the remote what a step made; its record comes last, once all is there.

        What was given before is not looked at, unless it was made `anew`.
        """
        mark = self.marks / key
        if mark.exists() and not anew:
            return
        self.require_known_format()
        self._push_files(self._parts(reference))
        path = self.workspace.path(reference)
        if path.is_dir():
            self.push_folder(path)
        record = as_result(reference, key)
        self._put(self.workspace.relative(self.workspace.results / key), record)
        atomic.write_bytes(mark, b"")

    @unless_away
    def push_files(self, paths: Iterable[Path]) -> None:
        """Give the remote these files of the workspace, those that it lacks."""
        self._push_files(paths)

    @property
    def marks(self) -> Path:
        """Where a file says of each key that this remote was given what it made."""
        return self.workspace.pushed / digests.of_bytes(self.objects.address.encode())[:LETTERS]

    def _push_files(self, paths: Iterable[Path]) -> None:
        names = {self.workspace.relative(path): path for path in paths}
        known = {folder for name in names if (folder := name.partition("/")[0])}
        there = {name for folder in known for name in self.listed(folder)}
        wanted = [(name, path) for name, path in names.items() if name not in there]
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            list(pool.map(lambda one: self._put(*one), wanted))

    def push_folder(self, folder: Path) -> None:
        """Give the remote a sealed folder, what says that it is whole last."""
        contents = folder / CONTENTS
        named = json.loads(contents.read_bytes())
        self._push_files(folder / name for name in named)
        self._push_files([contents])

    def _put(self, name: str, source: Path | bytes) -> None:
        self.objects.put_if_absent(name, source)
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        self._listed.setdefault(name.partition("/")[0], {}).setdefault(name, size)

    def _parts(self, reference: Reference) -> Iterator[Path]:
        """The files that a reference stands for, but for those of a sealed folder."""
        path = self.workspace.path(reference)
        if path.is_dir():
            return
        yield path
        if isinstance(reference, CollectionRef):
            names = manifests.load(path)["image"]
            # Those of another machine's collection that nobody asked for here are there already.
            yield from filter(Path.exists, map(self._image, dict.fromkeys(names[names != ""])))
        elif isinstance(reference, ImagesRef):
            yield from sorted(self.workspace.facts.glob(f"*/[!.]*{SHARD}"))
            if reference.corrections:
                yield self.workspace.root / reference.corrections
        elif isinstance(reference, FeaturesRef):
            yield from self._features(path)

    def _image(self, name: str) -> Path:
        return self.workspace.images / name[:2] / name

    def _features(self, path: Path) -> Iterator[Path]:
        space = path.parents[1]
        yield space / SPACE
        yield from (space / name for name in json.loads(path.read_bytes())["shards"])
        # What joined features are made of: one more picture needs the parts of the others not.
        parts = json.loads((space / SPACE).read_bytes()).get("parts", [])
        for other in self.workspace.features.glob(f"*/{SPACE}"):
            if json.loads(other.read_bytes()) in parts:
                yield from (other, *sorted(other.parent.glob(f"[!.]*{SHARD}")))

    # From there to here

    @unless_away
    def pull(self, key: str) -> Reference | None:
        """What is kept under a key, None if nothing is, or not all of it is there, whole.

        Tables and folders come at once, pictures and shards when they are read.
        """
        self.require_known_format()
        path = self.workspace.results / key
        if not self.fetch(path):
            return None
        reference = stored(path)
        if reference is not None and self._pulled(reference):
            atomic.write_bytes(self.marks / key, b"")
            return reference
        path.unlink(missing_ok=True)
        return None

    def _pulled(self, reference: Reference) -> bool:
        """Whether all is here now without which a reference is not whole."""
        try:
            names = [reference.where]
            if isinstance(reference, ImagesRef) and reference.corrections:
                names.append(reference.corrections)
            if isinstance(reference, FeaturesRef):
                names.append(f"{Path(reference.where).parents[1].as_posix()}/{SPACE}")
            return all(map(self.bring, names)) and not (
                # Exchanged when the run began; without it pictures would move.
                isinstance(reference, SplitRef)
                and not (self.workspace.root / reference.lineage).exists()
            )
        except ODD:
            return False

    def bring(self, name: str) -> bool:
        """Whether the file or sealed folder of this name is here, now or before."""
        path = self.workspace.root / require_safe(name)
        if path.exists():
            return True
        return bool(self.fetch(path) if path.suffix else self.fetch_folder(path))

    @unless_away
    def fetch(self, path: Path) -> bool:
        """Bring one file of the workspace; False if it is not there, or damaged there."""
        name = self.workspace.relative(path)
        check = check_of(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = atomic.sibling(path)
        try:
            if not self.objects.fetch(name, temporary):
                return False
            if not check(temporary):
                self._damaged.add(name)
                self._tell_of_damage(name)
                return False
            temporary.chmod(0o444 if name.startswith("images/") else 0o644)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        return True

    def fetch_all(self, paths: Collection[Path]) -> None:
        """Bring these files, side by side."""
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            list(pool.map(self.fetch, paths))

    @unless_away
    def fetch_folder(self, folder: Path) -> bool:
        """Bring a sealed folder, all of it or nothing; False if it is not there, whole."""
        name = self.workspace.relative(folder)
        data = self.objects.get(f"{name}/{CONTENTS}")
        if data is None:
            return False
        with contextlib.suppress(DamagedThere, ValueError, TypeError):
            self._fetch_files(folder, data)
            return True
        self._tell_of_damage(name)
        return False

    def _fetch_files(self, folder: Path, contents: bytes) -> None:
        """Bring what a table of contents names; DamagedThere, and nothing here, if it differs."""
        name, names = self.workspace.relative(folder), list(map(require_safe, json.loads(contents)))
        with folders.new_folder(folder, keep_whole=True) as scratch:
            for one in names:
                (scratch / one).parent.mkdir(parents=True, exist_ok=True)
            with ThreadPoolExecutor(AT_A_TIME) as pool:
                list(
                    pool.map(lambda one: self.objects.fetch(f"{name}/{one}", scratch / one), names)
                )
            (scratch / CONTENTS).write_bytes(contents)
            if not folders.is_intact(scratch):
                raise DamagedThere

    def _tell_of_damage(self, name: str) -> None:
        sys.stderr.write(
            f"darkroom: {name} is damaged in the remote {self.objects.address}, and is not taken: "
            "`darkroom cache verify --remote` looks at all\n"
        )

    @unless_away
    def catch_up(self, folder: Path, wanted: Collection[str]) -> bool:
        """Bring the shards of a store that hold rows of these names; False if there are none."""
        store = self.workspace.relative(folder)
        there = self.listed(store.partition("/")[0])
        shards = [
            name for name in there if name.endswith(SHARD) and name.rpartition("/")[0] == store
        ]
        lacking = [name for name in shards if not (self.workspace.root / name).exists()]
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            found = list(pool.map(self._rows_of, lacking))
        some = set(wanted)
        useful = [
            self.workspace.root / name
            for name, rows in zip(lacking, found, strict=True)
            if not some.isdisjoint(rows)
        ]
        self.fetch_all(useful)
        return bool(useful)

    def _rows_of(self, shard: str) -> list[str]:
        """The names in a shard; of its bytes only these are read."""
        if shard not in self._names_in:
            with contextlib.suppress(pa.ArrowException, *ODD), self.objects.reader(shard) as stream:
                source = pa.PythonFile(stream, mode="r")
                schema = pa.ipc.open_file(source).schema
                options = pa.ipc.IpcReadOptions(included_fields=[schema.get_field_index(NAME)])
                batch = pa.ipc.open_file(source, options=options).get_batch(0)
                batch.validate(full=True)
                self._names_in[shard] = batch.column(0).to_pylist()
        return self._names_in.get(shard, [])

    def remove(self, names: Collection[str]) -> None:
        """Delete objects; what this machine gave the remote is looked at again by its next run."""
        self.objects.delete(names)
        for mark in self.marks.glob("*"):
            if mark.is_file():
                mark.unlink()
        self.forget()

    def tell_if_away(self) -> None:
        """One line on standard error where the remote did not answer; once in a process."""
        if self.away and not self._told:
            self._told = True
            sys.stderr.write(
                f"darkroom: {self.away}. What this run made is kept here, and the next run that "
                "reaches the remote gives it what is missing\n"
            )


def check_of(name: str) -> Callable[[Path], bool]:
    """How to tell whether the bytes that came are those that the name stands for."""
    path = Path(name)
    if name.startswith("images/") or path.suffix == SHARD:
        return lambda file: digests.of_file(file).startswith(path.stem)
    if path.suffix == ".parquet":
        return lambda file: manifests.holds(file, path.stem)
    return lambda file: file.stat().st_size <= LONGEST
