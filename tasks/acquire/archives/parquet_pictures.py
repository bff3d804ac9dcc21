"""Pictures in a column of a Parquet file, as Hugging Face's data sets have them."""

import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO, Any

from storage.errors import SourceDamaged
from storage.statuses import Status
from tasks.acquire.archives.budget import Budget, of_record
from tasks.acquire.files import Found
from tasks.acquire.layout import split_words
from tasks.acquire.tables import files as table_files

ROWS_AT_A_TIME = 64
HEADER = "picture"
NO_BYTES = "no bytes in its row"


def is_parquet(stream: IO[bytes]) -> bool:
    """Whether the stream, put back to its beginning, starts as Parquet does."""
    head = stream.read(4)
    stream.seek(0)
    return head == b"PAR1"


def files_of(stream: IO[bytes], name: str, budget: Budget) -> Iterator[Found]:
    """A row a picture, and one for the file, with the other columns as a table.

    A column of class numbers whose names stand in the file is one of names.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(stream)
        yield from _files(pa, file, name, budget)
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise SourceDamaged(f"{name} is no Parquet that can be read ({error})") from error


def _files(pa: Any, file: Any, name: str, budget: Budget) -> Iterator[Found]:
    schema = file.schema_arrow
    pictures = [field.name for field in schema if _holds_pictures(pa, field.type)]
    if not pictures:
        yield Found(name, None, Status.NOT_A_PICTURE, "a table without a column of pictures")
        return
    others = [field.name for field in schema if not pa.types.is_nested(field.type)
              and not pa.types.is_binary(field.type)]  # fmt: skip
    names = _class_names(schema.metadata or {})
    rows: list[list[str]] = []
    split = split_words.of_file(PurePosixPath(name).stem)
    number = 0
    for batch in file.iter_batches(ROWS_AT_A_TIME, columns=[pictures[0], *others]):
        for row in batch.to_pylist():
            data, called = _picture(row[pictures[0]], number)
            rows.append([called, *(_cell(row[key], names.get(key)) for key in others), split])
            yield _found(called, data, budget)
            number += 1
    header = (HEADER, *others, "split" if "split" not in others else "split of the file")
    table = table_files.of_rows(name, header, rows)
    yield Found(name, None, Status.NOT_A_PICTURE, "what it holds is listed", table=table)


def _holds_pictures(pa: Any, kind: Any) -> bool:
    if pa.types.is_struct(kind):
        return any(kind.field(i).name == "bytes" for i in range(kind.num_fields))
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _picture(value: Any, number: int) -> tuple[bytes, str]:
    if isinstance(value, dict):
        called = PurePosixPath(str(value.get("path") or "")).name
        return value.get("bytes") or b"", f"{number:06d}-{called}" if called else f"{number:06d}"
    return value or b"", f"{number:06d}"


def _found(name: str, data: bytes, budget: Budget) -> Found:
    if not data:
        return Found(name, None, Status.DAMAGED, NO_BYTES)
    budget.spend(len(data))
    other = Found(name, None, Status.NOT_A_PICTURE, "its bytes are no picture")
    return of_record(name, data, budget, other)


def _class_names(metadata: dict[bytes, bytes]) -> dict[str, list[str]]:
    """Column -> names of its numbers, as Hugging Face's `datasets` writes them into the file."""
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
        return {
            column: list(map(str, feature["names"]))
            for column, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _cell(value: Any, names: list[str] | None) -> str:
    if value is None:
        return ""
    if names is not None and isinstance(value, int) and 0 <= value < len(names):
        return names[value]
    return str(value)
