"""Result folders named by content (models, evaluations) or by run (reports)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from storage import atomic, digests
from storage.errors import StorageDamaged

CONTENTS = "contents.json"


def seal(folder: Path) -> None:
    """Write down size and SHA-256 of every file in `folder`: a later look can tell it is whole."""
    contents = {
        path.relative_to(folder).as_posix(): {
            "bytes": path.stat().st_size,
            "sha256": digests.of_file(path),
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != folder / CONTENTS
    }
    atomic.write_json(folder / CONTENTS, contents)


def is_sealed(folder: Path) -> bool:
    """Whether every file of a sealed folder is there with its size; none is opened."""
    try:
        return all(path.stat().st_size == size for path, size, _ in _contents(folder))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def is_intact(folder: Path) -> bool:
    """Whether every file of a sealed folder holds what was sealed; all of them are read.

    Folders sealed before digests were written down can only be judged by their sizes.
    """
    return is_sealed(folder) and all(
        digest is None or _holds(path, digest) for path, _, digest in _contents(folder)
    )


def _contents(folder: Path) -> Iterator[tuple[Path, int, str | None]]:
    """Path, bytes and SHA-256 of every sealed file; no SHA-256 where only sizes were kept."""
    for name, known in json.loads((folder / CONTENTS).read_text(encoding="utf-8")).items():
        if isinstance(known, int):
            yield folder / name, known, None
        else:
            yield folder / name, known["bytes"], known["sha256"]


def _holds(path: Path, digest: str) -> bool:
    try:
        return digests.of_file(path) == digest
    except OSError:
        return False


def read_json(path: Path) -> Any:
    """The JSON value in `path`; StorageDamaged when it is missing or malformed."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StorageDamaged(
            f"expected JSON at {path}, found none ({error}): run the experiment again"
        ) from error
