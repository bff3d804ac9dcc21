"""A job that takes its time, and does ill to its worker when it is told to."""

import os
import signal
import time
from pathlib import Path

import pyarrow as pa

from storage.errors import StorageDamaged
from storage.shards import NAME, ShardStore
from storage.workspace import Workspace


class SlowJob:
    """Stores names, a shard for each unit; of `notes` every line is a worker and a unit's first."""

    unit = 4

    def __init__(self, notes: Path, *, seconds: float = 0.3) -> None:
        self.threads = 2
        self._notes = notes
        self._seconds = seconds

    @property
    def store(self) -> ShardStore:
        return ShardStore(Workspace.current().facts / "slow")

    @property
    def folders(self) -> list[Path]:
        return [self.store.folder]

    def work(self, names, advance):
        with self._notes.open("a") as notes:
            notes.write(f"{os.getpid()} {names[0]} {self.threads}\n")
        time.sleep(self._seconds)
        if "damage" in names:
            raise StorageDamaged("this picture is damaged")
        if "fatal" in names:
            os.kill(os.getpid(), signal.SIGKILL)
        for start in range(0, len(names), self.unit):
            self.store.add(pa.table({NAME: names[start : start + self.unit]}))
            advance(len(names[start : start + self.unit]))
        return len(names)
