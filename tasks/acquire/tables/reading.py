"""A file's table, by its suffix."""

from storage.errors import SourceTooLarge
from tasks.acquire.tables import delimited, files, json_rows, parquet_rows, workbooks
from tasks.acquire.tables.files import TableFile
from tasks.acquire.tables.table import Table

READERS = {
    ".csv": delimited.read,
    ".tsv": delimited.read,
    ".txt": delimited.read,
    ".lst": delimited.read,
    ".xlsx": workbooks.read,
    ".json": json_rows.read,
    ".jsonl": json_rows.read_lines,
    ".ndjson": json_rows.read_lines,
    ".parquet": parquet_rows.read,
}


def read(file: TableFile) -> Table | None:
    """The table in a file, its rows still unread; None where it is of another kind.

    SourceDamaged, SourceTooLarge or MissingLibrary where it cannot be read. What has another suffix
    is read as text.
    """
    if file.table is not None:
        return file.table
    if file.size > files.MOST_BYTES:
        raise SourceTooLarge(
            f"{file.name} has {file.size:,} bytes, expected a table of at most "
            f"{files.MOST_BYTES:,}: leave only names, labels and splits in it"
        )
    return READERS.get(file.suffix, delimited.read)(file)
