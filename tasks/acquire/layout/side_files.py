"""Labels that lie in a file of their own beside each picture, as in WebDataset's archives."""

import json
from collections.abc import Sequence
from pathlib import PurePosixPath

from tasks.acquire.layout.matching import stem_of
from tasks.acquire.said import Place
from tasks.acquire.tables.files import SIDE_SUFFIXES, SMALL, TableFile

# The likeliest to hold a class first; a text may be one, or a caption.
ORDER = (".cls", ".json", ".txt")
KEYS = ("label", "class", "cls", "class_name", "category", "target", "label_name")
LONGEST = 200
MOST = 0.5


def read(places: Sequence[Place], files: Sequence[TableFile]) -> list[str] | None:
    """The label of each picture; None where no kind of file says classes of most of them."""
    by_key: dict[str, dict[str, TableFile]] = {}
    for file in files:
        if file.suffix in SIDE_SUFFIXES and file.size <= SMALL:
            by_key.setdefault(_key(file.name), {})[file.suffix] = file
    if not by_key:
        return None
    for suffix in ORDER:
        labels = [_label(by_key.get(_key(place.name), {}).get(suffix)) for place in places]
        said = sum(1 for label in labels if label)
        classes = len(set(labels) - {""})
        # As many texts as pictures are captions, no classes.
        if said >= MOST * len(places) and 1 < classes <= max(2, said // 2):
            return labels
    return None


def _key(name: str) -> str:
    """WebDataset's key: the name to the first dot of its last part."""
    path = PurePosixPath(name)
    return f"{path.parent.as_posix()}/{stem_of(path.name).partition('.')[0]}"


def _label(file: TableFile | None) -> str:
    if file is None:
        return ""
    text = file.beginning(SMALL).decode("utf-8", errors="replace").strip()
    if file.suffix != ".json":
        return text if len(text) <= LONGEST and "\n" not in text else ""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    if isinstance(value, dict):
        value = next((value[key] for key in KEYS if key in value), "")
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
