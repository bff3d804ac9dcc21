"""How a picture gets its label: from its name, from its folder, or from a table."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from storage.errors import SourceDamaged, SourceMissing
from tasks.acquire.archive import read_text_file
from tasks.acquire.sources import Archive, Digits, Folders

Labeller = Callable[[str], str]
LONGEST_LABEL = 200
LONGEST_NAME = 1000
CSV_BYTES = 64 * 2**20


def by_name(pattern: str) -> Labeller:
    """The group 'label' of `pattern` in the file's name; '' where it does not match."""
    matcher = re.compile(pattern)

    def label(name: str) -> str:
        match = matcher.search(PurePosixPath(name).name[:LONGEST_NAME])
        return match["label"] or "" if match else ""

    return label


def by_folder(name: str) -> str:
    """The folder that directly holds the file; '' for a file at the top."""
    return PurePosixPath(name).parent.name


def by_first_folder(name: str) -> str:
    """The topmost folder; '' for a file at the top."""
    parts = PurePosixPath(name).parts
    return parts[0] if len(parts) > 1 else ""


def by_table(table: dict[str, str]) -> Labeller:
    """Looked up by the whole name, else by the file's name, with its suffix or without."""

    def label(name: str) -> str:
        path = PurePosixPath(name)
        return table.get(name) or table.get(path.name) or table.get(path.stem, "")

    return label


def read_table(text: str, origin: str) -> dict[str, str]:
    """Name -> label from a CSV's first two columns; the header row is skipped.

    Names stand there as written and without their folders; a name given two labels has none.
    """
    try:
        rows = list(csv.reader(io.StringIO(text)))
    except csv.Error as error:
        raise SourceDamaged(f"{origin} is not a CSV file: {error}") from error
    table: dict[str, str] = {}
    for name, label in ((row[0], row[1].strip()) for row in rows[1:] if len(row) > 1):
        for key in (name, PurePosixPath(name).name):
            table[key] = label if table.get(key, label) == label else ""
    if not table:
        raise SourceDamaged(
            f"{origin}: expected a header and rows of name,label, found none in {len(rows)} rows"
        )
    return table


def _csv_text(source: Archive) -> str:
    if not source.label_csv:
        raise SourceMissing("label_from=csv needs source.label_csv, the CSV's name")
    on_disk = Path(source.label_csv)
    if on_disk.is_file():
        return on_disk.read_bytes()[:CSV_BYTES].decode("utf-8-sig", errors="replace")
    text = read_text_file(source.archive, source.label_csv, CSV_BYTES)
    if text is None:
        raise SourceMissing(
            f"expected the labels in {source.label_csv}, on disk or at the top of "
            f"{source.archive}, found them in neither"
        )
    return text


def labeller_of(source: Archive | Folders | Digits) -> Labeller:
    """The way this source says its labels, trimmed and of bounded length."""
    label: Labeller
    if isinstance(source, Folders):
        label = by_first_folder
    elif isinstance(source, Digits):
        label = by_name(Archive.model_fields["label_pattern"].default)
    elif source.label_from == "folder":
        label = by_folder
    elif source.label_from == "csv":
        label = by_table(read_table(_csv_text(source), str(source.label_csv)))
    else:
        label = by_name(source.label_pattern)
    return lambda name: label(name).strip()[:LONGEST_LABEL]
