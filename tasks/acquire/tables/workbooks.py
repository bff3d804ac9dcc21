"""Excel's workbooks, read with openpyxl (the extra `excel`): the first sheet, values only."""

import importlib.util
import zipfile
from collections.abc import Iterator
from typing import Any

from storage.errors import MissingLibrary, SourceDamaged, SourceTooLarge
from tasks.acquire.tables.files import TableFile
from tasks.acquire.tables.table import Row, Table, require_few_columns
from tasks.acquire.unreadable import UNREADABLE

MOST_UNPACKED = 512 << 20
LONGEST_CELL = 1 << 16
# openpyxl takes for granted what stands in a workbook: anything may come of another.
UNREADABLE_BOOK = (
    *UNREADABLE,
    *(LookupError, TypeError, AttributeError, SyntaxError, ArithmeticError, AssertionError),
)


def read(file: TableFile) -> Table:
    """The first sheet; a formula is the value that was last computed for it."""
    if importlib.util.find_spec("openpyxl") is None:
        raise MissingLibrary(
            f"{file.name} is a workbook: install `openpyxl` (pip install 'darkroom[excel]'), or "
            "save the sheet as CSV"
        )
    _require_small(file)

    def rows() -> Iterator[Row]:
        import openpyxl

        with file.opened() as stream:
            try:
                book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
                for row in book.worksheets[0].iter_rows(values_only=True):
                    cells = [_cell(value) for value in row]
                    require_few_columns(len(cells), file.name)
                    if any(cells):
                        yield cells
            except UNREADABLE_BOOK as error:
                raise SourceDamaged(
                    f"{file.name} is no workbook that can be read ({error}): save the sheet as CSV"
                ) from error

    return Table(file.name, rows, folder=file.folder)


def _require_small(file: TableFile) -> None:
    with file.opened() as stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                unpacked = sum(entry.file_size for entry in archive.infolist())
        except UNREADABLE as error:
            raise SourceDamaged(f"{file.name} is no workbook: {error}") from error
    if unpacked > MOST_UNPACKED:
        raise SourceTooLarge(
            f"{file.name} unpacks to {unpacked:,} bytes, expected at most {MOST_UNPACKED:,}: save "
            "the sheet as CSV"
        )


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)[:LONGEST_CELL]
