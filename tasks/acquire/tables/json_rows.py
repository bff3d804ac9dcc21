"""Tables in JSON: a list of objects, an object of columns, name -> label, or one object a line."""

import json
from collections.abc import Iterator
from typing import Any

from storage.errors import SourceDamaged, SourceTooLarge
from tasks.acquire.tables.files import TableFile
from tasks.acquire.tables.table import Row, Table, require_few_columns

MOST_BYTES = 64 << 20
LONGEST_LINE = 1 << 20
LINES_LOOKED_AT = 1000


def read(file: TableFile) -> Table | None:
    """The table in a JSON file; None where it holds something else."""
    value = value_of(file)
    if isinstance(value, dict) and value and all(isinstance(one, dict) for one in value.values()):
        return _of_columns(file, value)
    if isinstance(value, dict) and value and all(map(_is_cell, value.values())):
        pairs = [[str(name), _cell(label)] for name, label in value.items()]
        return Table(file.name, lambda: iter(pairs), header=("", ""), folder=file.folder)
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        return _of_objects(file, value)
    return None


def value_of(file: TableFile) -> Any:
    """What a JSON file holds; SourceTooLarge, SourceDamaged."""
    if file.size > MOST_BYTES:
        raise SourceTooLarge(
            f"{file.name} has {file.size:,} bytes, expected a JSON table of at most "
            f"{MOST_BYTES:,}: write one object a line (.jsonl), or a CSV"
        )
    try:
        return json.loads(file.beginning(MOST_BYTES))
    except (ValueError, RecursionError) as error:
        raise SourceDamaged(f"{file.name} is not JSON: {error}") from error


def read_lines(file: TableFile) -> Table:
    """The table in a file of one JSON object a line; its columns are those of the first lines."""
    names: dict[str, None] = {}
    for number, one in enumerate(_objects(file)):
        names.update(dict.fromkeys(one))
        if number == LINES_LOOKED_AT:
            break
    header = tuple(names)
    require_few_columns(len(header), file.name)

    def rows() -> Iterator[Row]:
        for one in _objects(file):
            yield [_cell(one.get(name)) for name in header]

    return Table(file.name, rows, header=header, folder=file.folder)


def _objects(file: TableFile) -> Iterator[dict[str, Any]]:
    with file.opened() as stream:
        while line := stream.readline(LONGEST_LINE + 1):
            if len(line) > LONGEST_LINE:
                raise SourceTooLarge(f"{file.name} has a line of more than {LONGEST_LINE:,} bytes")
            if not line.strip():
                continue
            try:
                one = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise SourceDamaged(f"{file.name} has a line that is not JSON: {error}") from error
            if not isinstance(one, dict):
                raise SourceDamaged(f"{file.name}: expected one JSON object a line, found {one!r}")
            yield one


def _of_objects(file: TableFile, found: list[dict[str, Any]]) -> Table:
    header = tuple(dict.fromkeys(name for one in found for name in one))
    require_few_columns(len(header), file.name)
    rows = [[_cell(one.get(name)) for name in header] for one in found]
    return Table(file.name, lambda: iter(rows), header=header, folder=file.folder)


def _of_columns(file: TableFile, columns: dict[str, dict[str, Any]]) -> Table:
    """As pandas writes a table: column -> row's name -> cell."""
    header = tuple(map(str, columns))
    require_few_columns(len(header), file.name)
    keys = dict.fromkeys(key for column in columns.values() for key in column)
    rows = [[_cell(column.get(key)) for column in columns.values()] for key in keys]
    return Table(file.name, lambda: iter(rows), header=header, folder=file.folder)


def _is_cell(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return str(value) if _is_cell(value) else ""
