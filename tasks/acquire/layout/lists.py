"""Lists of the pictures of a split, one a line: `train.txt`, `test.txt`."""

import contextlib
import re
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import PurePosixPath

from storage.errors import SourceError, SourceMissing
from tasks.acquire.layout import split_words
from tasks.acquire.layout.columns import shown
from tasks.acquire.layout.matching import Names
from tasks.acquire.layout.table_choice import file_called
from tasks.acquire.tables import delimited
from tasks.acquire.tables.files import TableFile

EXAMPLES = 3
LOOKED_AT = 200
DIVIDED = re.compile(r"[,;\t| ]")


def splits(
    names: Names, files: Sequence[TableFile], lists: Mapping[str, str]
) -> tuple[dict[int, str], list[str]]:
    """The split of each listed picture (by its place), and what is to be said of the lists.

    SourceMissing where there is no such list, SourceError where one names no picture, or where two
    name the same one.
    """
    found: dict[int, str] = {}
    remarks: list[str] = []
    torn: list[str] = []
    for split, wanted in lists.items():
        file = file_called(files, wanted)
        if file is None:
            raise SourceMissing(
                f"expected the list of {split} at {wanted}, on disk or in the source, found none"
            )
        _take(file, split, names, found, torn, remarks)
    if torn:
        raise SourceError(
            f"{len(torn):,} pictures are listed in two splits ({shown(torn[:EXAMPLES])}): leave "
            "each in one list"
        )
    return found, remarks


def there(names: Names, files: Sequence[TableFile]) -> list[str]:
    """That there are lists of splits, and the words that use them."""
    found: dict[str, str] = {}
    for file in files:
        split = split_words.of_file(PurePosixPath(file.name).stem)
        if not split or file.suffix not in (".txt", ".lst") or split in found:
            continue
        with contextlib.suppress(SourceError):
            lines = list(islice(delimited.lines(file), LOOKED_AT))
            hits = sum(1 for line in lines if _means(line, names, file.folder) is not None)
            if lines and 2 * hits >= len(lines):
                found[split] = file.name
    if len(found) < 2:
        return []
    words = ", ".join(f"{split}: {name}" for split, name in found.items())
    return [f"lists of splits are there: --set 'split.lists={{{words}}}' takes them"]


def _take(
    file: TableFile, split: str, names: Names, found: dict[int, str], torn: list[str],
    remarks: list[str],
) -> None:  # fmt: skip
    missing: list[str] = []
    own: set[int] = set()
    twice = 0
    for line in delimited.lines(file):
        match = _means(line, names, file.folder)
        if match is None:
            missing.append(line)
        elif match in own:
            twice += 1
        elif match in found:
            torn.append(line)
        else:
            own.add(match)
            found[match] = split
    if not own and not torn:
        raise SourceError(
            f"{file.name} names no picture: it has {shown(missing[:EXAMPLES])}, the pictures are "
            f"called {shown(names.examples())}"
        )
    if missing:
        remarks.append(
            f"{len(missing):,} lines of {file.name} name no picture ({shown(missing[:EXAMPLES])})"
        )
    if twice:
        remarks.append(f"{twice:,} lines of {file.name} name a picture again")


def _means(line: str, names: Names, folder: str) -> int | None:
    """The picture of a line: all of it, or what comes before a label."""
    for text in (line, DIVIDED.split(line)[0].strip('"')):
        match = names.find(text, folder)
        if match is not None and not match.loose:
            return match.place
    return None
