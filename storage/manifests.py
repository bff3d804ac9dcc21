"""Manifests: Parquet tables named by their content.

The digest is that of the rows, not of the file, so that another version of the Parquet writer
gives the same name to the same table.
"""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from storage import atomic, digests, folders
from storage.errors import MEND, StorageDamaged

# Raised when manifests are stored in another way: what was stored before is made anew.
FORMAT = 1


def content_digest(table: pd.DataFrame) -> str:
    """SHA-256 over column names and values, in order; the index does not count."""
    columns = {name: table[name].tolist() for name in table.columns}
    return digests.of_value([list(columns), list(columns.values())])


def save(folder: Path, table: pd.DataFrame) -> tuple[str, Path]:
    """The table's digest and its file in `folder`; a whole file of that name is left alone.

    One that does not hold the table is written anew: cut, or damaged in its middle.
    """
    digest = content_digest(table)
    path = folder / f"{digest}.parquet"
    if not is_whole(path):
        atomic.write_file(path, lambda temporary: write(table, temporary))
    return digest, path


def write(table: pd.DataFrame, path: Path) -> None:
    """The table as a Parquet file whose pages have checksums, which `load` looks at."""
    table.to_parquet(path, index=False, write_page_checksum=True)


def is_whole(path: Path) -> bool:
    """Whether the file can be read and holds the table that its name says (reads all of it)."""
    return holds(path, path.stem)


def holds(path: Path, digest: str) -> bool:
    """Whether the file can be read and holds the table of this digest (reads all of it)."""
    try:
        return is_parquet(path) and content_digest(load(path)) == digest
    # Damage may give values that no table has, and texts that are none.
    except (StorageDamaged, ValueError, TypeError, pa.ArrowException):
        return False


def damaged(folder: Path) -> Iterator[Path]:
    """Manifests in `folder` whose rows are not what their name says; all are read."""
    for path in sorted(folder.glob("*.parquet")):
        if not path.name.startswith(atomic.TEMPORARY_PREFIX) and not is_whole(path):
            yield path


def load(path: Path) -> pd.DataFrame:
    """The table at `path`; StorageDamaged when there is none or it cannot be read.

    Of a damaged page its checksum tells; a file of a sealed folder has to be what was sealed.
    """
    folders.require_sealed(path)
    try:
        _require_consistent(pq.read_metadata(path))
        return pd.read_parquet(path, page_checksum_verification=True)
    # A flipped byte in the schema comes out of pandas as a KeyError or a TypeError.
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise StorageDamaged(
            f"expected a table at {path}, found none that can be read ({error}): {MEND}"
        ) from error


def _require_consistent(metadata: pq.FileMetaData) -> None:
    """ValueError where its numbers of rows differ: Arrow would make room for what is not there.

    Columns are not asked: of damaged ones Arrow ends the process.
    """
    rows = sum(metadata.row_group(place).num_rows for place in range(metadata.num_row_groups))
    if rows != metadata.num_rows:
        raise ValueError(f"its parts have {rows:,} rows, and it should have {metadata.num_rows:,}")


def is_parquet(path: Path, size: int | None = None) -> bool:
    """Whether a file is there with Parquet's marks at both ends, and of `size` bytes if given."""
    try:
        with path.open("rb") as stream:
            head = stream.read(4)
            apart = stream.seek(-4, 2) >= len(head)
            return apart and head == stream.read(4) == b"PAR1" and size in (None, stream.tell())
    except OSError:
        return False
