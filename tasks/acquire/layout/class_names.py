"""Names of classes that are numbers elsewhere: `classes.txt`, `{0: cat}`, `names:` of a YAML."""

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

import yaml

from storage.errors import SourceDamaged, SourceError
from tasks.acquire.tables import delimited, json_rows
from tasks.acquire.tables.files import TableFile

MOST_CLASSES = 100_000
MOST_BYTES = 4 << 20
SMALL = 1 << 16
MOST_LOOKED_AT = 50
STEMS = re.compile(
    r"^(class|classes|class[_-]?names?|labels?|label[_-]?names?|names|categories|cat_to_name|"
    r"label[_-]?map|labelmap|class_index|class_indices|idx_to_class|index_to_class|class_to_idx|"
    r"class_to_index|id2label|label2id|data|dataset)$",
    re.IGNORECASE,
)
SUFFIXES = frozenset({".txt", ".json", ".yaml", ".yml", ".csv", ".names"})
NUMBERED = re.compile(r"^\s*(\d+)\s*[:=,;\t ]\s*(.+?)\s*$")
NUMBERED_LAST = re.compile(r"^\s*(.+?)\s*[:=,;\t ]\s*(\d+)\s*$")

# Number -> name; of a plain list the numbers may begin at 0 or at 1.
Names = dict[int, str]


def may_hold(file: TableFile) -> bool:
    """Whether a file's name is one that such lists have."""
    stem = PurePosixPath(file.name).stem
    if file.suffix == ".json" and "/" not in file.name and file.size <= SMALL:
        return True  # a name for each number is unmistakable
    return bool(STEMS.match(stem)) and file.suffix in SUFFIXES and file.size <= MOST_BYTES


def among(files: Sequence[TableFile]) -> list[TableFile]:
    """The files that may name classes, those that are called so first; MOST_LOOKED_AT at most."""
    found = [file for file in files if may_hold(file)]
    found.sort(key=lambda file: not STEMS.match(PurePosixPath(file.name).stem))
    return found[:MOST_LOOKED_AT]


def names_for(labels: Iterable[str], file: TableFile) -> dict[str, str] | None:
    """Each label's name, as the file has it; None where it does not name all of them.

    Labels that are no whole numbers are not renamed. A plain list may be counted from 0 or from 1:
    where the labels do not tell, it names nothing.
    """
    numbers = {label: int(label) for label in labels if re.fullmatch(r"\d{1,9}", label)}
    if not numbers or len(numbers) != len(set(labels)):
        return None
    found = read(file)
    if isinstance(found, list):
        found = _counted(found, set(numbers.values()))
    if found is None or not set(numbers.values()) <= found.keys():
        return None
    return {label: found[number] for label, number in numbers.items()}


def _counted(names: list[str], numbers: set[int]) -> Names | None:
    if 0 in numbers and max(numbers) < len(names):
        return dict(enumerate(names))
    if max(numbers) == len(names):
        return dict(enumerate(names, start=1))
    return None


def read(file: TableFile) -> Names | list[str] | None:
    """Names by number, or in order; None where the file holds something else."""
    try:
        if file.suffix == ".json":
            return _of_value(json_rows.value_of(file))
        if file.suffix in (".yaml", ".yml"):
            return _of_value(_names_in(yaml.safe_load(file.beginning(MOST_BYTES))))
        return _of_lines(file)
    except (SourceError, SourceDamaged, yaml.YAMLError, ValueError, RecursionError, LookupError):
        return None


def _names_in(value: Any) -> Any:
    return value.get("names") if isinstance(value, dict) else value


def _of_value(value: Any) -> Names | list[str] | None:
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return value
    if not isinstance(value, dict) or not value:
        return None
    if all(_is_number(key) and isinstance(name, str) for key, name in value.items()):
        return {int(key): name for key, name in value.items()}
    if all(isinstance(name, str) and _is_number(number) for name, number in value.items()):
        return {int(number): name for name, number in value.items()}
    return None


def _is_number(value: Any) -> bool:
    return re.fullmatch(r"\d{1,9}", str(value)) is not None and not isinstance(value, bool)


def _of_lines(file: TableFile) -> Names | list[str] | None:
    encoding, _ = delimited.encoding_of(file)
    text = file.beginning(MOST_BYTES).decode(encoding, errors="replace")
    lines = [line.strip() for line in islice(text.splitlines(), MOST_CLASSES)]
    lines = [line for line in lines if line]
    for pattern, number, name in ((NUMBERED, 1, 2), (NUMBERED_LAST, 2, 1)):
        for rows in (lines, lines[1:]):
            hits = [pattern.match(line) for line in rows]
            if rows and all(hits):
                found = {int(hit[number]): hit[name] for hit in hits if hit}
                if len(found) == len(rows):
                    return found
    return lines or None
