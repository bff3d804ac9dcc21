"""Tables in Parquet: columns of texts and numbers, a few thousand rows at a time."""

from collections.abc import Iterator
from typing import Any

from storage.errors import SourceDamaged, SourceTooLarge
from tasks.acquire.tables.files import TableFile
from tasks.acquire.tables.table import Row, Table, require_few_columns

ROWS_AT_A_TIME = 256
MOST_UNPACKED = 1 << 30


def read(file: TableFile) -> Table | None:
    """The columns of texts and numbers; None where there is none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with file.opened() as stream:
        try:
            parquet = pq.ParquetFile(stream)
            schema, metadata = parquet.schema_arrow, parquet.metadata
        except (pa.ArrowException, OSError, ValueError) as error:
            raise SourceDamaged(f"{file.name} is no Parquet that can be read: {error}") from error
        header = tuple(field.name for field in schema if _is_plain(pa, field.type))
        largest = max(
            (metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups)),
            default=0,
        )
    if largest > MOST_UNPACKED:
        raise SourceTooLarge(f"{file.name} unpacks to more than {MOST_UNPACKED:,} bytes at a time")
    require_few_columns(len(header), file.name)
    if len(set(header)) != len(header):
        raise SourceDamaged(f"{file.name} has two columns of one name")

    def rows() -> Iterator[Row]:
        with file.opened() as stream:
            try:
                for batch in pq.ParquetFile(stream).iter_batches(
                    ROWS_AT_A_TIME, columns=list(header), use_threads=False
                ):
                    columns = [map(_cell, column.to_pylist()) for column in batch.columns]
                    yield from map(list, zip(*columns, strict=True))
            except (pa.ArrowException, OSError, ValueError) as error:
                raise SourceDamaged(f"{file.name} is damaged: {error}") from error

    return Table(file.name, rows, header=header, folder=file.folder) if header else None


def _is_plain(pa: Any, kind: Any) -> bool:
    types = pa.types
    tests = (types.is_string, types.is_large_string, types.is_integer, types.is_boolean,
             types.is_floating, types.is_dictionary, types.is_temporal)  # fmt: skip
    return any(test(kind) for test in tests)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, bool) else str(value)
