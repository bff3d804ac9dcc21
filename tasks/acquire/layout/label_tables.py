"""What tables of labels say of the pictures that they name."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from storage.errors import SourceError
from storage.names import one_line
from storage.statuses import Status
from tasks.acquire.layout import split_words
from tasks.acquire.layout.columns import Columns, is_one, shown
from tasks.acquire.layout.matching import Match, Names
from tasks.acquire.said import Said
from tasks.acquire.tables.table import Row, Table

EXAMPLES = 3


@dataclass
class Tables:
    """What is said by picture (its place among the names), and what of the tables went unused."""

    said: dict[int, Said] = field(default_factory=dict)
    without_picture: int = 0
    examples: list[str] = field(default_factory=list)
    several_ones: int = 0
    no_split: list[str] = field(default_factory=list)
    texts: dict[int, tuple[str, bool]] = field(default_factory=dict)

    def remarks(self, name: str) -> list[str]:
        """What was not used of the tables, in words."""
        found = []
        if self.without_picture:
            found.append(
                f"{self.without_picture:,} rows of {name} name no picture ({shown(self.examples)})"
            )
        if self.no_split:
            found.append(f"splits in {name} that are none: {shown(self.no_split)}")
        return found


def read(tables: Sequence[tuple[Table, Columns]], names: Names) -> Tables:
    """What the tables say, all rows read once.

    SourceError for a table that gives a picture several classes at once.
    """
    all_said = Tables()
    for table, columns in tables:
        of_file = split_words.of_file(table.name.rpartition("/")[2].partition(".")[0])
        split = of_file if len(tables) > 1 else ""
        rows = table.rows()
        if columns.has_header and table.header is None:
            next(rows, None)
        for row in rows:
            _take(all_said, table, columns, row, names, split)
        if all_said.several_ones:
            raise SourceError(
                f"{table.name} gives {all_said.several_ones:,} pictures several classes at once: "
                "multi-label is not supported. Leave one class a row, or name the column of "
                "labels with source.label_column"
            )
    return all_said


def _take(
    found: Tables, table: Table, columns: Columns, row: Row, names: Names, of_file: str
) -> None:
    text = _at(row, columns.name)
    match = names.find(text, table.folder)
    if match is None or (match.loose and not columns.loose):
        found.without_picture += 1
        if len(found.examples) < EXAMPLES:
            found.examples.append(text)
        return
    label = _label(found, columns, row)
    written = _at(row, columns.split).strip()
    split = split_words.of_cell(written)
    if written and not split and written not in found.no_split[:EXAMPLES]:
        found.no_split.append(written)
    split = split or of_file
    said = Said(
        label, split, _at(row, columns.group).strip(), _at(row, columns.time).strip(),
        Status.UNLABELLED, "" if label else f"its row in {table.name} has no label",
    )  # fmt: skip
    found.said[match.place] = _with_earlier(found, match, text, said, table.name)


def _with_earlier(found: Tables, match: Match, text: str, said: Said, table: str) -> Said:
    """What two rows say of one picture: the same, or two labels, which are a conflict."""
    exact = not (match.loose or match.number)
    before = found.said.get(match.place)
    if before is None:
        found.texts[match.place] = text, exact
        return said
    text_before, exact_before = found.texts[match.place]
    if text_before != text and exact != exact_before:
        # One row names the picture itself, the other nearly.
        if exact:
            found.texts[match.place] = text, exact
        found.without_picture += 1
        return said if exact else before
    if before.status is Status.LABEL_CONFLICT:
        return before
    if said.label and before.label and before.label != said.label:
        labels = sorted({before.label, said.label})
        reason = f"{table} says {one_line(labels[0])} and {one_line(labels[1])}"
        return Said("", before.split, before.group, "", Status.LABEL_CONFLICT, reason)
    if said.split and before.split and before.split != said.split:
        reason = f"{table} puts it into {before.split} and {said.split}"
        return Said("", "", before.group, "", Status.LABEL_CONFLICT, reason)
    return before if before.label else said


def _label(found: Tables, columns: Columns, row: Row) -> str:
    if columns.label is not None:
        return _at(row, columns.label)
    ones = [i for i in columns.one_hot if is_one(_at(row, i))]
    found.several_ones += len(ones) > 1
    return columns.header[ones[0]] if len(ones) == 1 else ""


def _at(row: Row, place: int | None) -> str:
    return row[place] if place is not None and place < len(row) else ""
