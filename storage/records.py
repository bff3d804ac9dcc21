"""The record of runs: what every execution of a step depended on, took and gave."""

import re
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from storage import atomic, digests
from storage.names import as_file_name
from storage.workspace import Workspace

KEPT_PER_STEP = 50
WITH_DIGEST = re.compile(r"-([0-9a-f]{16})\.json$")


class Record(BaseModel):
    """One execution, or the first cached use of a result by an experiment.

    `pictures` is how many the step was given, 0 where that is not known.
    """

    experiment: str
    step: str
    key: str
    parts: dict[str, str]
    state: str
    why: str
    seconds: float
    pictures: int = 0
    when: str
    result: dict[str, Any]


def now() -> str:
    """The time of day in UTC, to the second, as ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _folder(workspace: Workspace, experiment: str, step: str) -> Path:
    return workspace.records / as_file_name(experiment) / step


def add(workspace: Workspace, record: Record) -> Path:
    """Store the record as a file of its own; the oldest beyond KEPT_PER_STEP go."""
    folder = _folder(workspace, record.experiment, record.step)
    data = atomic.as_json(record.model_dump(mode="json"))
    name = f"{time.time_ns():020d}-{record.key[-8:]}-{digests.of_bytes(data)[:16]}.json"
    path = atomic.write_bytes(folder / name, data)
    for old in _files(folder)[:-KEPT_PER_STEP]:
        old.unlink(missing_ok=True)
    return path


def latest(workspace: Workspace, experiment: str, step: str) -> Record | None:
    """The last record of this step in this experiment, if there is one that can be read."""
    return next(_readable(reversed(_files(_folder(workspace, experiment, step)))), None)


def executions(workspace: Workspace, step: str) -> list[Record]:
    """Of every experiment each time that this step did not come from the cache."""
    found = _readable(sorted(workspace.records.glob(f"*/{step}/*.json")))
    return [one for one in found if one.state == "executed"]


def all_of(workspace: Workspace) -> list[Record]:
    """Every readable record, oldest first within each step."""
    return list(_readable(sorted(workspace.records.glob("*/*/*.json"))))


def newest(workspace: Workspace) -> list[Record]:
    """Of each step of each experiment the last readable record."""
    return list({(one.experiment, one.step): one for one in all_of(workspace)}.values())


def is_readable(path: Path) -> bool:
    """Whether there is a whole record at `path`."""
    return next(_readable([path]), None) is not None


def _readable(paths: Iterable[Path]) -> Iterator[Record]:
    for path in paths:
        # A file may be damaged, or pruned by another process just now.
        with suppress(OSError, ValueError):
            data = path.read_bytes()
            digest = WITH_DIGEST.search(path.name)  # earlier versions wrote none
            if not digest or digests.of_bytes(data).startswith(digest[1]):
                yield Record.model_validate_json(data)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.json") if path.name[0] != ".")
