"""From the names of a source's pictures, and the tables beside them, to what each picture is.

Where the user says where labels come from, they come from there. Else they are what a container
says itself, class folders, what names begin with, or a table's column, whichever says something of
most pictures; where two of them say different things, nothing is guessed: SourceError has the words
that decide it.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from storage.errors import SourceError, SourceMissing
from storage.names import one_line
from tasks.acquire.layout import (
    class_folders,
    class_names,
    label_tables,
    side_files,
    table_choice,
)
from tasks.acquire.layout.columns import SAMPLE, Columns, Wanted, shown
from tasks.acquire.layout.lists import splits as splits_of_lists
from tasks.acquire.layout.lists import there as lists_there
from tasks.acquire.layout.matching import Names
from tasks.acquire.parameters import Labels
from tasks.acquire.said import NOTHING, Layout, Place, Said
from tasks.acquire.tables.files import TableFile
from tasks.acquire.tables.table import Table

MOST = 0.5
AGREEING = 0.95
LONGEST_NAME = 1000


@dataclass
class _Reading:
    """One way to read labels: what it is called, and the label of each picture.

    `setting` is what asks for this way, `said` what else a table says of pictures.
    """

    found: str
    labels: list[str]
    setting: tuple[str, str] = ("", "")
    said: dict[int, Said] | None = None
    remarks: tuple[str, ...] = ()

    @property
    def classes(self) -> list[str]:
        return sorted(set(self.labels) - {""})

    @property
    def covered(self) -> int:
        return sum(1 for label in self.labels if label)

    def is_good(self, number: int) -> bool:
        """Whether it tells classes apart, of most of so many pictures."""
        return len(self.classes) > 1 and self.covered >= MOST * number


def understand(
    places: Sequence[Place], files: Sequence[TableFile], source: Labels,
    lists: Mapping[str, str] = MappingProxyType({}),
) -> Layout:  # fmt: skip
    """What is said of each picture; `files` are those that may hold tables and lists.

    `lists` are the files that name the pictures of a split (split -> file); where none is of
    train, that is what no list names.
    """
    names = Names([place.name for place in places])
    tree = class_folders.read([place.folder for place in places])
    reading = _reading(places, names, tree, files, source)
    remarks = list(reading.remarks)
    labels, renamed = _named(reading.labels, files, source)
    remarks += renamed
    said = reading.said or {}
    listed, remarks_of_lists = splits_of_lists(names, files, lists)
    remarks += remarks_of_lists if lists else lists_there(names, files)
    unlisted = "" if "train" in lists else "train"
    pictures = []
    for number, (place, label) in enumerate(zip(places, labels, strict=True)):
        one = said.get(number, place.said or NOTHING)
        split = listed.get(number, unlisted) if lists else one.split or tree.split(place.folder)
        reason = one.reason or ("" if label else _why(reading, split))
        pictures.append(one._replace(label=label, split=split, reason=reason))
    remarks += _to_classify(places, pictures, tree)
    if lists:
        reading.found += f", splits as {', '.join(lists.values())} have them"
    elif tree.splits and not any(one.split for one in said.values()):
        folders = ", ".join(f"{name}/" for name in tree.splits)
        reading.found += f", in split folders ({one_line(folders)})"
    return Layout(pictures, reading.found, remarks)


def _to_classify(
    places: Sequence[Place], pictures: Sequence[Said], tree: class_folders.FolderTree
) -> list[str]:
    """That a test folder holds pictures without a label, and the words that name them."""
    found = [
        place.folder[: len(tree.prefix) + 1]
        for place, one in zip(places, pictures, strict=True)
        if one.split == "test" and not one.label
    ]
    if not found:
        return []
    folder = "/".join(found[0])
    words = f"darkroom classify EXPERIMENT SOURCE --only {folder}/"
    return [f"{len(found):,} pictures in {folder}/ have no label: after the run, `{words}`"]


def _why(reading: _Reading, split: str) -> str:
    if reading.setting[0] == "source.label_csv":
        return f"no row of {reading.setting[1]} names it"
    if split == "test":
        return "no label, in a test folder: one to classify"
    return "no label"


def _reading(
    places: Sequence[Place], names: Names, tree: class_folders.FolderTree,
    files: Sequence[TableFile], source: Labels,
) -> _Reading:  # fmt: skip
    wanted = source.label_from
    columns = source.label_column or source.name_column
    if wanted == "csv" or (wanted == "auto" and (source.label_csv or columns)):
        candidates = table_choice.named(files, names, source.label_csv, _wanted(source))
        chosen = candidates.best()
        if not chosen:
            raise SourceMissing(candidates.nothing())
        return _of_table(_Tables(chosen, names))
    if wanted == "name":
        return _of_names(places, source.label_pattern)
    if wanted in ("folder", "top_folder"):
        return _of_folders(places, tree, innermost=wanted == "folder")
    if "label_pattern" in source.model_fields_set:
        return _of_names(places, source.label_pattern)
    return _settled(places, names, tree, files, source)


def _settled(
    places: Sequence[Place], names: Names, tree: class_folders.FolderTree,
    files: Sequence[TableFile], source: Labels,
) -> _Reading:  # fmt: skip
    """The reading that says most, where no other says something else."""
    # Pictures of a test folder may have no label: those are to be classified.
    number = sum(1 for place in places if tree.split(place.folder) != "test") or len(places)
    own = _of_containers(places)
    if own.is_good(number):
        return own
    beside = side_files.read(places, files)
    if beside is not None:
        reading = _Reading("labels in a file beside each picture", beside)
        if reading.is_good(number):
            return reading
    folders = _of_folders(places, tree)
    called = _of_names(places, source.label_pattern)
    tables = table_choice.candidates(files, names, _wanted(source))
    if folders.is_good(number) and not class_folders.are_generic(folders.classes):
        first = folders
        _require_one_reading(tree)
        if called.is_good(number) and not _agree(folders.labels, called.labels):
            first.remarks += (
                (
                    f"names begin with words as well ({shown(called.classes, 3)}): "
                    "source.label_from=name takes those for classes"
                ),
            )
    elif called.is_good(number):
        first = called
    else:
        first = None
    best = _best_table(tables, names, number)
    if first is None:
        return _nothing(folders, called, tables) if best is None else _of_table(best)
    if best is not None:
        first.remarks += _beside_table(first, best)
    return first


def _nothing(
    folders: _Reading, called: _Reading, tables: table_choice.Candidates
) -> _Reading:  # fmt: skip
    """No way tells two classes: what comes nearest, and what there is."""
    nearest = max((folders, called), key=lambda one: (one.covered, one is folders))
    nearest.remarks += tuple(
        f"{table.name} names few of the pictures: source.label_csv={table.name} takes it all the "
        "same"
        for table, _ in tables.fit[:3]
    )
    nearest.remarks += tuple(
        f"{name} is no table of these pictures: {why}" for name, why in tables.unfit[:3]
    )
    return nearest


def _wanted(source: Labels) -> Wanted:
    return Wanted(source.name_column, source.label_column, source.split_column,
                  source.group_column, source.time_column)  # fmt: skip


def _of_containers(places: Sequence[Place]) -> _Reading:
    labels = [place.said.label if place.said else "" for place in places]
    return _Reading("labels inside the files", labels)


def _of_folders(
    places: Sequence[Place], tree: class_folders.FolderTree, *, innermost: bool = False
) -> _Reading:
    if innermost:
        labels = [_innermost(place.folder) for place in places]
    else:
        labels = [tree.label(place.folder) for place in places]
    level = "folder" if innermost else "top_folder"
    reading = _Reading("class folders", labels, ("source.label_from", level))
    where = "/".join(tree.prefix)
    number = len(reading.classes)
    folders = f"{number} class folders" if number > 1 else "pictures without class folders"
    reading.found = folders + (f" in {where}/" if where else "")
    if tree.deeper and not innermost and len(reading.classes) > 1:
        reading.remarks = (
            (
                "class folders hold folders of their own, which are not classes: "
                "source.label_from=folder takes the innermost folder, or name one of them as the "
                "source"
            ),
        )
    return reading


def _require_one_reading(tree: class_folders.FolderTree) -> None:
    if tree.inner:
        raise SourceError(
            f"the folders can be read in two ways: {shown(tree.classes, 3)} each hold "
            f"{shown(tree.inner, 3)}. Choose the classes with --set source.label_from=top_folder "
            "(the former) or --set source.label_from=folder (the latter)"
        )


def _innermost(folder: tuple[str, ...]) -> str:
    return folder[-1] if folder else ""


def by_pattern(pattern: str) -> Callable[[str], str]:
    """The group 'label' of `pattern` in the file's name; '' where it does not match."""
    matcher = re.compile(pattern)

    def label(name: str) -> str:
        match = matcher.search(name.rpartition("/")[2][:LONGEST_NAME])
        return match["label"] or "" if match else ""

    return label


def _of_names(places: Sequence[Place], pattern: str) -> _Reading:
    label = by_pattern(pattern)
    reading = _Reading("", [label(place.name) for place in places], ("source.label_from", "name"))
    reading.found = f"{len(reading.classes)} classes in the pictures' names"
    return reading


@dataclass
class _Tables:
    """The table of labels, and those like it; their rows are read once, when they are wanted."""

    chosen: table_choice.Chosen
    names: Names

    @property
    def first(self) -> tuple[Table, Columns]:
        return self.chosen[0]

    @cached_property
    def said(self) -> label_tables.Tables:
        return label_tables.read(self.chosen, self.names)

    def labels(self) -> list[str]:
        """The label of each picture."""
        said = self.said.said
        return [said[i].label if i in said else "" for i in range(len(self.names))]


def _of_table(tables: _Tables) -> _Reading:
    """The labels of a table; SourceError where it is not clear which of its columns has them."""
    table, columns = tables.first
    if columns.label is None and not columns.one_hot:
        raise SourceError(_undecided(table, columns))
    number = len(tables.chosen)
    called = table.name if number == 1 else f"{number} tables like {table.name}"
    remarks = (
        *(one.said for one, _ in tables.chosen if one.said),
        *tables.said.remarks(called),
    )
    setting = ("source.label_csv", table.name)
    found = f"{called}: {columns.said()}"
    return _Reading(found, tables.labels(), setting, tables.said.said, remarks)


def _undecided(table: Table, columns: Columns) -> str:
    choices = columns.choices or tuple(i for i in range(len(columns.header)) if i != columns.name)
    several = [columns.header[i] for i in choices]
    words = " or ".join(f"--set source.label_column={one_line(name)}" for name in several[:3])
    return (
        f"{table.name} names the pictures in {columns.header[columns.name]!r}, and the labels may "
        f"be in any of {shown(several)}: say {words or 'source.label_column'}"
    )


def _best_table(candidates: table_choice.Candidates, names: Names, number: int) -> _Tables | None:
    """The table of most of so many pictures; a long one is read whole to know."""
    chosen = candidates.best()
    if not chosen:
        return None
    tables = _Tables(chosen, names)
    if sum(columns.matched for _, columns in chosen) >= MOST * min(number, SAMPLE):
        return tables
    return tables if len(tables.said.said) >= MOST * number else None


def _beside_table(first: _Reading, tables: _Tables) -> tuple[str, ...]:
    """What a table says beside a reading that needs none; SourceError where it contradicts.

    Its splits and groups are taken where its labels are the same ones.
    """
    table, columns = tables.first
    said = tables.said
    if columns.label is None and not columns.one_hot:
        if columns.says_more:
            first.said = said.said
            return (f"{table.name}: {columns.said()}", *said.remarks(table.name))
        return (f"{table.name} beside the pictures is not used",)
    theirs = tables.labels()
    if _agree(first.labels, theirs):
        first.labels = _filled(first.labels, theirs)
        first.said = {i: one._replace(label="") for i, one in said.said.items()}
        return (f"{table.name} says the same as {first.found}",)
    if not columns.label_word:
        return (
            (
                f"{table.name} beside the pictures is not used: source.label_csv={table.name} "
                "takes its labels"
            ),
        )
    name, value = first.setting
    raise SourceError(
        f"{first.found} ({shown(first.classes, 3)}) and {table.name} ({columns.said()}: "
        f"{shown(sorted(set(theirs) - {''}), 3)}) say different things: choose with --set "
        f"{name}={value} or --set source.label_csv={table.name}"
    )


def _agree(first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether two readings tell the same classes apart, whatever they call them."""
    pairs = Counter((one, two) for one, two in zip(first, second, strict=True) if one and two)
    if not pairs:
        return False
    ones: dict[str, tuple[str, int]] = {}
    for (one, two), number in pairs.most_common():
        ones.setdefault(one, (two, number))
    partners = [two for two, _ in ones.values()]
    same = sum(number for _, number in ones.values())
    return len(set(partners)) == len(partners) and same >= AGREEING * pairs.total()


def _filled(first: list[str], second: Sequence[str]) -> list[str]:
    """The first labels; where they say nothing, the second's, called as the first has them."""
    pairs = Counter((two, one) for one, two in zip(first, second, strict=True) if one and two)
    called: dict[str, str] = {}
    for (two, one), _ in pairs.most_common():
        called.setdefault(two, one)
    return [one or called.get(two, two) for one, two in zip(first, second, strict=True)]


def _named(
    labels: list[str], files: Sequence[TableFile], source: Labels
) -> tuple[list[str], list[str]]:
    """Labels that are numbers, by the names that a file has for them, and what is said of it."""
    different = set(labels) - {""}
    if source.class_names is not None:
        file = table_choice.file_called(files, source.class_names)
        renamed = class_names.names_for(different, file) if file else None
        if renamed is None:
            raise SourceError(
                f"{source.class_names} does not name the classes {shown(sorted(different))}: "
                "expected a name a line, or pairs of number and name"
            )
        return [renamed.get(label, "") for label in labels], []
    for file in class_names.among(files):
        renamed = class_names.names_for(different, file)
        if renamed is not None:
            return (
                [renamed.get(label, "") for label in labels],
                [f"classes are called as {file.name} has them"],
            )
    return labels, []
