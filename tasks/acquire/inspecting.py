"""What is in a source, from names and headers alone: no picture is opened."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import pandas as pd
from pydantic import BaseModel, Field

from storage.errors import MissingLibrary, SourceError
from storage.statuses import Status
from tasks.acquire import choosing
from tasks.acquire.collection import gather, table_of, understood
from tasks.acquire.kinds import kind_of
from tasks.acquire.parameters import Archive, Folders, Source
from tasks.acquire.tables.files import SIDE_SUFFIXES, TableFile
from tasks.acquire.tables.reading import read
from tasks.running.progress import Advance

EXAMPLES = 3
MOST_TABLES = 10
MOST_COLUMNS = 50


class Odd(BaseModel):
    """Files that are not used, of one status and reason."""

    status: str
    reason: str
    files: int
    examples: list[str] = Field(description=f"The first {EXAMPLES}.")


class SeenTable(BaseModel):
    """A file that may be a table, and the cells of its first row."""

    name: str
    columns: list[str]


class Inspection(BaseModel):
    """What is in a source, and how it is understood."""

    source: str = Field(description="What was looked at.")
    files: int = Field(description="All files.")
    pictures: int = Field(description="Pictures by their names, or by their first bytes.")
    layout: str = Field(description="How the pictures are labelled, in words; '' if not at all.")
    remarks: list[str] = Field(description="What one should know of it.")
    classes: dict[str, dict[str, int]] = Field(
        description="Pictures of each class by split; by '' where no split is given."
    )
    tables: list[SeenTable] = Field(
        description=f"Tables beside the pictures, {MOST_TABLES} at most."
    )
    odd: list[Odd] = Field(description="What is not used.")
    problem: str = Field("", description="Why it cannot be taken as it is, with what would help.")


def inspect(source: Source, lists: Mapping[str, str], advance: Advance) -> Inspection:
    """Look at a folder or an archive; what it cannot be understood as is said, not raised.

    SourceError where there is nothing to look at.
    """
    assert isinstance(source, Folders | Archive)
    files = gather(kind_of(source).listing(source), None, advance)
    name = str(source.folder if isinstance(source, Folders) else source.archive)
    about = {
        "source": name,
        "files": len(files.found),
        "pictures": sum(one.status is Status.KEPT for one in files.found),
        "tables": list(_tables(files.tables)),
    }
    try:
        layout, said = understood(files, source, lists)
        table = table_of(files, said, name, ordered=False)
        table, remarks = choosing.chosen(table, source)
    except (SourceError, MissingLibrary) as error:
        rest = table_of(files, {}, name, ordered=False)
        return Inspection(
            **about, layout="", remarks=[], classes={}, odd=_odd(rest), problem=str(error)
        )
    classes = _classes(table)
    return Inspection(
        **about, layout=layout.found, remarks=[*layout.remarks, *remarks], classes=classes,
        odd=_odd(table), problem=_problem(source, classes),
    )  # fmt: skip


def _problem(source: Source, classes: Mapping[str, object]) -> str:
    if len(classes) > 1:
        return ""
    from tasks.acquire.kinds.folders import beside

    hints = beside(source.folder) if isinstance(source, Folders) else []
    return (
        f"expected two classes at least, found {len(classes)}. A label is the folder that a "
        "picture is in (source.label_from=folder), the beginning of its name "
        "(source.label_pattern), or a row of a table (source.label_csv)"
        + "".join(f"; {hint}" for hint in hints)
    )


def _classes(table: pd.DataFrame) -> dict[str, dict[str, int]]:
    kept = table[table["status"] == Status.KEPT]
    counts = Counter(zip(kept["label"], kept["split"], strict=True))
    found: dict[str, dict[str, int]] = {}
    for (label, split), number in sorted(counts.items()):
        found.setdefault(label, {})[split] = number
    return found


def _odd(table: pd.DataFrame) -> list[Odd]:
    rest = table[table["status"] != Status.KEPT]
    found = [
        Odd(
            status=str(status),
            reason=str(reason),
            files=len(rows),
            examples=list(rows["name"].head(EXAMPLES)),
        )
        for (status, reason), rows in rest.groupby(["status", "reason"], sort=False)
    ]
    return sorted(found, key=lambda one: -one.files)


def _tables(files: Sequence[TableFile]) -> Iterator[SeenTable]:
    several = Counter(file.suffix for file in files)
    tables = [
        file
        for file in files
        if file.suffix not in SIDE_SUFFIXES or several[file.suffix] < EXAMPLES
    ]
    for file in tables[:MOST_TABLES]:
        try:
            table = read(file)
            first = table.header or next(table.rows(), []) if table else []
        except (SourceError, MissingLibrary):
            continue
        yield SeenTable(name=file.name, columns=list(first)[:MOST_COLUMNS])
