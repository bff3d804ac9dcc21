"""Which column of a table is which: found by what is in them, or named."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from storage.errors import SourceError
from storage.names import one_line
from tasks.acquire.files import PICTURE_SUFFIXES
from tasks.acquire.layout import split_words
from tasks.acquire.layout.matching import Match, Names, stem_of
from tasks.acquire.tables.table import Row, Table

SAMPLE = 5000
# Words for a column of labels, and for one of names, the likeliest first.
LABEL_WORDS = (
    "label", "labels", "class", "class_name", "classname", "category", "category_name", "target",
    "y", "species", "breed", "class_id", "category_id", "label_id", "dx", "diagnosis",
)  # fmt: skip
STRONG_WORDS = frozenset({"label", "labels", "class", "class_name", "category", "class_id"})
SPLIT_WORDS = ("split", "set", "subset", "partition", "data_set", "dataset", "phase", "usage")
NAME_WORDS = re.compile(r"file|image|img|path|picture|photo|name|\bid\b|_id$|^id", re.IGNORECASE)
ONES = frozenset({"0", "1", "0.0", "1.0", ""})
SHOWN = 3
# So few rows may have a class each.
FEW = 8


@dataclass(frozen=True)
class Wanted:
    """The columns that the user named."""

    name: str | None = None
    label: str | None = None
    split: str | None = None
    group: str | None = None
    time: str | None = None


@dataclass(frozen=True)
class Columns:
    """Where names, labels, splits, groups and times stand; `header` are the columns' names.

    `one_hot` are the columns of a table with a column per class. `has_header` tells whether the
    table's first row is its header. `label_word` tells whether a word said that they are labels.
    `choices` are the columns that may each hold the labels, where that is not clear.
    """

    name: int
    header: tuple[str, ...]
    has_header: bool
    matched: int
    label: int | None = None
    one_hot: tuple[int, ...] = ()
    split: int | None = None
    group: int | None = None
    time: int | None = None
    loose: bool = False
    label_word: bool = False
    choices: tuple[int, ...] = ()

    @property
    def says_more(self) -> bool:
        """Whether it has splits, groups or times."""
        return any(place is not None for place in (self.split, self.group, self.time))

    def said(self) -> str:
        """The columns in words: `names in 'id', labels in 'breed'`."""
        found = [("names", self.name), ("labels", self.label), ("splits", self.split),
                 ("groups", self.group), ("times", self.time)]  # fmt: skip
        words = [f"{what} in {self._called(i)}" for what, i in found if i is not None]
        if self.one_hot:
            words.insert(1, f"a column for each of {len(self.one_hot)} classes")
        return ", ".join(words)

    def _called(self, place: int) -> str:
        own = self.header[place] if self.has_header else ""
        return repr(one_line(own)) if own else f"column {place + 1}"


@dataclass(frozen=True)
class Unfit:
    """A table that cannot be used, and why."""

    reason: str


def find(table: Table, names: Names, wanted: Wanted) -> Columns | Unfit:
    """The columns of a table of the pictures `names`."""
    sample = _sample(table, names)
    if not sample:
        return Unfit("it has no rows")
    width = max(map(len, sample))
    first = table.header or tuple(sample[0])
    first = (*first, *[""] * (width - len(first)))
    body = sample if table.header else sample[1:]
    place, found = _name_column(table, sample, names, first, wanted.name, width)
    if place is None:
        return Unfit(_no_names(first, body))
    has_header = table.header is not None or not _is_data(sample, place, found)
    header = first if has_header else tuple(f"{i + 1}" for i in range(width))
    rows = body if has_header else sample
    loose = _may_be_loose(rows, place, found)
    matched = sum(1 for one in found if one and (not one.loose or loose))
    if not matched:
        return Unfit(_no_names(first, body))
    given = {
        what: _named(header, text, table.name) if text is not None else None
        for what, text in (("label", wanted.label), ("split", wanted.split),
                           ("group", wanted.group), ("time", wanted.time))
    }  # fmt: skip
    others = [i for i in range(width) if i != place and i not in given.values()]
    others = [i for i in others if not _is_index(header[i], rows, i)]
    split = given["split"]
    if split is None:
        split = _split_column(header, rows, others, has_header=has_header)
    others = [i for i in others if i != split]
    columns = Columns(
        place, header, has_header, matched, given["label"], (), split, given["group"],
        given["time"], loose, label_word=given["label"] is not None,
    )  # fmt: skip
    if given["label"] is not None:
        return columns
    return _with_labels(columns, rows, others)


def _sample(table: Table, names: Names) -> list[Row]:
    """The first rows; where they name no picture, also later ones that do."""
    rows = table.rows()
    first = list(islice(rows, SAMPLE))
    if len(first) < SAMPLE or any(_means_any(row, names, table.folder) for row in first):
        return first
    return first + list(
        islice((row for row in rows if _means_any(row, names, table.folder)), SAMPLE)
    )


def _means_any(row: Row, names: Names, folder: str) -> bool:
    return any(cell and names.find(cell, folder) for cell in row)


def _name_column(
    table: Table, sample: list[Row], names: Names, first: Sequence[str], wanted: str | None,
    width: int,
) -> tuple[int | None, list[Match | None]]:  # fmt: skip
    """The column whose cells mean pictures, and which they mean."""
    places = range(width) if wanted is None else [_named(first, wanted, table.name)]
    best: tuple[tuple[float, ...], int, list[Match | None]] | None = None
    for place in places:
        cells = [row[place] if place < len(row) else "" for row in sample]
        found = [names.find(cell, table.folder) if cell else None for cell in cells]
        texts = sum(1 for one in found if one and not one.number)
        numbers = sum(1 for one in found if one and one.number)
        different = len({one.place for one in found if one})
        if not different:
            continue
        called = first[place]
        index = called.strip() == "" or called.startswith("Unnamed: ")
        score = (
            min(different, texts), min(different, numbers) * (not index), not index,
            NAME_WORDS.search(called) is not None, -place,
        )  # fmt: skip
        if best is None or score > best[0]:
            best = (score, place, found)
    return (None, []) if best is None else (best[1], best[2])


def _is_data(sample: list[Row], place: int, found: list[Match | None]) -> bool:
    """Whether the first row is data, as what stands in the column of names tells."""
    if found[0] is not None:
        return True
    first, *others = (_shape(row[place] if place < len(row) else "") for row in sample)
    return first in others and first != "text"


def _shape(cell: str) -> str:
    text = cell.strip().casefold()
    if "." in text and f".{text.rpartition('.')[2]}" in PICTURE_SUFFIXES:
        return "picture"
    return "number" if text.isdigit() else "text"


def _may_be_loose(rows: list[Row], place: int, found: list[Match | None]) -> bool:
    """Whether folders that differ may be overlooked: none agrees, and names alone are clear."""
    hits = [one for one in found if one]
    if any(one.parents for one in hits):
        return False
    stems = Counter(_last(row[place]) for row in rows if place < len(row) and row[place])
    return len({_folder(row[place]) for row in rows if place < len(row)}) == 1 or all(
        number == 1 for number in stems.values()
    )


def _last(cell: str) -> str:
    return stem_of(cell.replace("\\", "/").rpartition("/")[2].strip())


def _folder(cell: str) -> str:
    return cell.replace("\\", "/").rpartition("/")[0]


def _is_index(called: str, rows: list[Row], place: int) -> bool:
    """Whether it is the column in which pandas numbers the rows."""
    if called.strip() and not called.startswith("Unnamed: "):
        return False
    cells = [row[place] for row in rows if place < len(row)]
    return all(cell.isdigit() for cell in cells) and len(set(cells)) == len(cells)


def _split_column(
    header: Sequence[str], rows: list[Row], places: list[int], *, has_header: bool
) -> int | None:
    """The column whose cells are words for splits, more than one of them."""
    for place in places:
        cells = {row[place].strip() for row in rows if place < len(row)} - {""}
        splits = {split_words.of_cell(cell) for cell in cells}
        named = has_header and header[place].strip().casefold() in SPLIT_WORDS
        if cells and "" not in splits and "train" in splits and (len(splits) > 1 or named):
            return place
    return None


def _with_labels(columns: Columns, rows: list[Row], others: list[int]) -> Columns:
    ones = [i for i in others if columns.has_header and _is_one_hot(rows, i)]
    words = [_word(called) if columns.has_header else "" for called in columns.header]
    # A class may be called as a column of labels; two columns may be 0 and 1 by chance.
    sure = len(ones) > 1 and _sums_to_one(rows, ones)
    if sure and (len(ones) > 2 or not STRONG_WORDS.intersection(words[i] for i in ones)):
        return replace(columns, one_hot=tuple(ones), label_word=True)
    called = next((i for word in LABEL_WORDS for i in others if words[i] == word), None)
    if called is not None:
        return replace(columns, label=called, label_word=True)
    if len(ones) > 1:
        return replace(columns, one_hot=tuple(ones), label_word=True)
    return replace(columns, **_by_content(columns, rows, others))


def _by_content(columns: Columns, rows: list[Row], others: list[int]) -> dict[str, Any]:
    """The column that may alone hold labels; else those that may."""
    choices = [i for i in others if _may_be_labels(rows, i)]
    if len(others) == 1 and (choices or len(rows) < FEW):
        return {"label": others[0]}
    texts = [i for i in choices if not _all(rows, i, _is_number)]
    if len(choices) == 1:
        return {"label": choices[0]}
    if len(texts) == 1 and not columns.has_header:
        return {"label": texts[0]}
    return {"choices": tuple(choices)}


def _word(called: str) -> str:
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", called.strip())
    return re.sub(r"[\s\-]+", "_", text).casefold()


def is_one(cell: str) -> bool:
    """Whether a cell of a class's column says that the picture is of that class."""
    return cell.strip() in ("1", "1.0")


def _is_one_hot(rows: list[Row], place: int) -> bool:
    return _all(rows, place, lambda cell: cell in ONES) and any(
        place < len(row) and is_one(row[place]) for row in rows
    )


def _sums_to_one(rows: list[Row], places: list[int]) -> bool:
    counts = (sum(is_one(row[i]) for i in places if i < len(row)) for row in rows)
    return all(number == 1 for number in counts)


def _all(rows: list[Row], place: int, test: Callable[[str], bool]) -> bool:
    return all(test(row[place].strip()) for row in rows if place < len(row))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return cell == ""
    return True


def _may_be_labels(rows: list[Row], place: int) -> bool:
    """Whether a column has few different values, and no fractions."""
    cells = [row[place].strip() for row in rows if place < len(row)]
    different = set(cells) - {""}
    if len(different) < 2 or len(different) > max(2, len(cells) // 2):
        return False
    return not any("." in cell and _is_number(cell) for cell in different)


def _named(header: Sequence[str], wanted: str, table: str) -> int:
    """The column of this name, or of this number counted from 1; SourceError says which are."""
    found = [i for i, called in enumerate(header) if called.strip() == wanted.strip()]
    if len(found) == 1:
        return found[0]
    if not found and wanted.isdigit() and 1 <= int(wanted) <= len(header):
        return int(wanted) - 1
    what = f"{len(found)} columns" if found else "no column"
    raise SourceError(
        f"{table} has {what} called {wanted!r}: its columns are {shown(header)}. Name one of them, "
        "or give its number, counted from 1"
    )


def shown(texts: Sequence[str], most: int = 12) -> str:
    """Some texts, each in quotes; how many more there are."""
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(repr(one_line(text)[:60]) for text in texts[:most]) + more


def _no_names(first: Sequence[str], body: list[Row]) -> str:
    columns = [
        f"{called[:40]!r} ({shown([row[i] for row in body[:SHOWN] if i < len(row)])})"
        for i, called in enumerate(first[:8])
    ]
    return f"none of its columns names the pictures: {'; '.join(map(one_line, columns))}"
