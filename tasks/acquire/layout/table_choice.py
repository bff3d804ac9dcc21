"""Which of the tables in a source is the one of its labels."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from storage.errors import MissingLibrary, SourceError, SourceMissing
from storage.names import one_line
from tasks.acquire.layout import class_names, columns
from tasks.acquire.layout.columns import Columns, Unfit, Wanted, shown
from tasks.acquire.layout.matching import Names, parts_of, stem_of
from tasks.acquire.tables.files import TABLE_SUFFIXES, TableFile
from tasks.acquire.tables.reading import read
from tasks.acquire.tables.table import Table

MOST_LOOKED_AT = 50
MOST_SHOWN = 10
# Kaggle's form for answers: its labels are none.
NOT_LABELS = ("submission",)

Chosen = list[tuple[Table, Columns]]


@dataclass
class Candidates:
    """Tables that name pictures, and those that do not with the reason."""

    fit: Chosen = field(default_factory=list)
    unfit: list[tuple[str, str]] = field(default_factory=list)
    names: Sequence[str] = ()

    def add(self, file: TableFile, judged: tuple[Table, Columns] | Unfit) -> None:
        """One more table, with its columns or with the reason why it has none."""
        if isinstance(judged, Unfit):
            self.unfit.append((file.name, judged.reason))
        else:
            self.fit.append(judged)

    def best(self) -> Chosen:
        """The table that names most pictures, and those with the same columns beside it."""
        if not self.fit:
            return []
        table, found = max(
            self.fit,
            key=lambda one: (bool(one[1].one_hot or one[1].label is not None), one[1].matched),
        )
        others = [
            (other, columns)
            for other, columns in self.fit
            if other is not table
            and columns.header == found.header
            and columns.has_header
            and (columns.name, columns.label, columns.one_hot)
            == (found.name, found.label, found.one_hot)
        ]
        return [(table, found), *others]

    def nothing(self) -> str:
        """That no table names the pictures, and what each one holds."""
        seen = "; ".join(f"{name}: {why}" for name, why in self.unfit[:3])
        return (
            f"expected a table that names the pictures ({shown(self.names, 3)}), found "
            f"{seen or 'no table'}. Name the table with source.label_csv, its columns with "
            "source.name_column and source.label_column"
        )


def candidates(files: Sequence[TableFile], names: Names, wanted: Wanted) -> Candidates:
    """The tables of a source that name its pictures."""
    found = Candidates(names=names.examples())
    tables = [file for file in files if _may_be_one(file, names)]
    tables.sort(key=lambda file: (len(parts_of(file.name)), file.name))
    held = [file for file in tables if file.table is not None]
    others = [file for file in tables if file.table is None]
    for file in (*held, *others[:MOST_LOOKED_AT]):
        try:
            judged = _judged(file, names, wanted)
        except (SourceError, MissingLibrary) as error:
            found.unfit.append((file.name, str(error)))
            continue
        if not (isinstance(judged, Unfit) and class_names.may_hold(file)):
            found.add(file, judged)
    return found


def _may_be_one(file: TableFile, names: Names) -> bool:
    name = PurePosixPath(file.name).name.casefold()
    if file.table is not None:
        return bool(file.size)
    if file.suffix not in TABLE_SUFFIXES or not file.size:
        return False
    if any(word in name for word in NOT_LABELS):
        return False
    # What is called as a picture belongs to that picture.
    return not names.has_stem(stem_of(PurePosixPath(file.name).stem))


def _judged(file: TableFile, names: Names, wanted: Wanted) -> tuple[Table, Columns] | Unfit:
    """A file's table and its columns; SourceError or MissingLibrary where it cannot be read."""
    table = read(file)
    if table is None:
        return Unfit("it is no table")
    found = columns.find(table, names, wanted)
    return found if isinstance(found, Unfit) else (table, found)


def named(
    files: Sequence[TableFile], names: Names, wanted_file: str | None, wanted: Wanted
) -> Candidates:
    """The table that the user names, on disk or in the source; of all where none is named."""
    if wanted_file is None:
        return candidates(files, names, wanted)
    file = file_called(files, wanted_file)
    if file is None:
        raise SourceMissing(_near(files, wanted_file))
    found = Candidates(names=names.examples())
    found.add(file, _judged(file, names, wanted))
    return found


def file_called(files: Sequence[TableFile], wanted: str) -> TableFile | None:
    """The file on disk of this name; else that in the source whose name ends so, if it is one."""
    path = Path(wanted).expanduser()
    if path.is_file():
        return TableFile(wanted, path.stat().st_size, path=path, inside=False)
    parts = parts_of(wanted)
    ends = [file for file in files if parts_of(file.name)[-len(parts) :] == parts]
    exact = [file for file in ends if parts_of(file.name) == parts]
    found = exact or ends
    return found[0] if len(found) == 1 or exact else None


def _near(files: Sequence[TableFile], wanted: str) -> str:
    there = [file.name for file in files]
    ends = [name for name in there if parts_of(name)[-1:] == parts_of(wanted)[-1:]]
    near = ends or difflib.get_close_matches(wanted, there, n=3, cutoff=0.5)
    tables = [name for name in there if not name.endswith(".cls")][:MOST_SHOWN]
    seen = f"did you mean {' or '.join(map(one_line, near))}?" if near else (
        f"the tables there are {shown(tables)}" if tables else "no table is there"
    )  # fmt: skip
    return f"expected a table at {wanted}, on disk or in the source, found none: {seen}"
