"""Result folders named by content (models, evaluations) or by run (reports)."""

import json
from pathlib import Path
from typing import Any

from storage import atomic
from storage.errors import StorageDamaged

CONTENTS = "contents.json"


def seal(folder: Path) -> None:
    """Write down the size of every file in `folder`, so that a later look can tell it is whole."""
    sizes = {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != folder / CONTENTS
    }
    atomic.write_json(folder / CONTENTS, sizes)


def is_sealed(folder: Path) -> bool:
    """Whether every file of a sealed folder is there with its size; none is opened."""
    try:
        sizes = json.loads((folder / CONTENTS).read_text())
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, AttributeError):
        return False


def read_json(path: Path) -> Any:
    """The JSON value in `path`; StorageDamaged when it is missing or malformed."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StorageDamaged(
            f"expected JSON at {path}, found none ({error}): run the experiment again"
        ) from error
