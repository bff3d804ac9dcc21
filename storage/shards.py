"""Shards: immutable Arrow files that each hold image names beside what was computed from them.

There is no shared index that changes, so writers never wait for each other, and a crash loses at
most the shard being computed. A file's name holds the SHA-256 of its bytes, which is looked at when
a process first opens it; a file that is not whole is as good as absent.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from storage import atomic, digests, elsewhere, fingerprints

# Raised when shards are stored in another way: what was stored before is made anew.
FORMAT = 1

NAME = "image"
SUFFIX = ".arrow"


@dataclass(frozen=True)
class ShardStore:
    """Shards in one folder; every table has a column `image` with stored image names."""

    folder: Path

    def add(self, table: pa.Table) -> Path:
        """The new shard that holds `table`, written at once or not at all."""

        def write(temporary: Path) -> None:
            with (
                pa.OSFile(str(temporary), "wb") as sink,
                pa.ipc.new_file(sink, table.schema) as out,
            ):
                out.write_table(table.combine_chunks())

        scratch = atomic.sibling(self.folder / f"shard{SUFFIX}")
        with atomic.explained(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                write(scratch)
                target = self.folder / f"{digests.of_file(scratch)[:32]}{SUFFIX}"
                scratch.replace(target)
                fingerprints.made(target, target.stem)
            finally:
                scratch.unlink(missing_ok=True)
        return target

    def paths(self) -> list[Path]:
        """Every shard file, whole or not."""
        return sorted(path for path in self.folder.glob(f"*{SUFFIX}") if path.name[0] != ".")

    def open(self, path: Path) -> pa.RecordBatch | None:
        """The shard's rows mapped from disk, nothing copied; None if it is missing or not whole."""
        if not self.verified(path):
            return None
        try:
            with pa.memory_map(str(path)) as source:
                batch = pa.ipc.open_file(source).get_batch(0)
            # Arrow trusts a file's offsets: wrong ones would be read outside of the mapping.
            batch.validate()
            names = batch.column(NAME)
            names.validate(full=True)
            if not pa.types.is_string(names.type) or names.null_count:
                return None
        # ValueError: a footer that lists no batch.
        except (OSError, ValueError, pa.ArrowException, KeyError, IndexError):
            return None
        return batch

    def place(self, path: Path, column: str) -> int:
        """Where in the shard's file the values of a column of fixed-size lists begin (bytes).

        Rows that are read there, instead of mapped, do not stay in memory.
        """
        with pa.memory_map(str(path)) as source:
            whole = source.read_buffer()
            batch = pa.ipc.open_file(source).get_batch(0)
            return int(batch.column(column).values.buffers()[1].address - whole.address)

    def index(self) -> dict[str, tuple[Path, int]]:
        """Where each image is: name -> (shard, row), whole shards only."""
        found: dict[str, tuple[Path, int]] = {}
        for path in self.paths():
            batch = self.open(path)
            if batch is not None:
                names = batch.column(NAME).to_pylist()
                found.update((name, (path, row)) for row, name in enumerate(names))
        return found

    def knowing(self, names: Collection[str]) -> dict[str, tuple[Path, int]]:
        """The index, once what other machines computed of these names is here as well."""
        known = self.index()
        lacking = [name for name in names if name not in known]
        if lacking and elsewhere.catch_up(self.folder, lacking):
            return self.index()
        return known

    def damaged(self) -> Iterator[Path]:
        """Shards whose content is not what their name says; all are read."""
        return (path for path in self.paths() if not self.verified(path))

    def verified(self, path: Path) -> bool:
        """Whether every byte of the shard is what was written (reads all of it once)."""
        return fingerprints.holds(path, path.stem)
