"""How a picture gets its label: from its name, from its folder, or from a table."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from storage.errors import SourceDamaged, SourceMissing, SourceTooLarge
from tasks.acquire import kaggle
from tasks.acquire.archives import read_file
from tasks.acquire.parameters import Archive

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


def _csv_text(source: Archive, downloaded: Path | None) -> str:
    if not source.label_csv:
        raise SourceMissing("label_from=csv needs source.label_csv, the CSV's name")
    data = _csv_bytes(source, source.label_csv, downloaded)
    if data is None:
        raise SourceMissing(
            f"expected the labels in {source.label_csv}, on disk or (in its zips too) in "
            f"{downloaded or source.archive}, found them in neither: name the file as it is named "
            "there, with its folders"
        )
    if len(data) > CSV_BYTES:
        raise SourceTooLarge(
            f"{source.label_csv} has more than {CSV_BYTES:,} bytes: expected a table of names and "
            "labels. Leave only these two columns in it"
        )
    return data.decode("utf-8-sig", errors="replace")


def _csv_bytes(source: Archive, name: str, downloaded: Path | None) -> bytes | None:
    """The table's bytes, one more than allowed if it is too long; None if it is nowhere."""
    if path := _on_disk(name, downloaded):
        with path.open("rb") as stream:
            return stream.read(CSV_BYTES + 1)
    for path in kaggle.archives_in(downloaded) if downloaded else [source.archive]:
        data = read_file(path, name, CSV_BYTES + 1, max_total_bytes=source.max_total_bytes)
        if data is not None:
            return data
    return None


def _on_disk(name: str, downloaded: Path | None) -> Path | None:
    if Path(name).is_file():
        return Path(name)
    if downloaded is None:
        return None
    # A name, or a link, must not lead out of what strangers have put together.
    path = (downloaded / name).resolve()
    return path if path.is_file() and path.is_relative_to(downloaded.resolve()) else None


def of_archive(source: Archive, downloaded: Path | None = None) -> Labeller:
    """The way this archive says its labels.

    `downloaded` is the folder that Kaggle's client put the archive into, if it is not on disk.
    """
    if source.label_from == "folder":
        return trimmed(by_folder)
    if source.label_from == "csv":
        text = _csv_text(source, downloaded)
        return trimmed(by_table(read_table(text, str(source.label_csv))))
    return trimmed(by_name(source.label_pattern))


def trimmed(label: Labeller) -> Labeller:
    """The same labels without blanks around them, and of bounded length."""
    return lambda name: label(name).strip()[:LONGEST_LABEL]
