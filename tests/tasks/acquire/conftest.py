"""What the tests of acquire share: archives made by hand, whole and damaged."""

import io
import struct
import tarfile
import zipfile

import pytest

from tasks.acquire.archives import reading

LOCAL, CENTRAL = b"PK\x03\x04", b"PK\x01\x02"
MEBIBYTE = 2**20


def zip_bytes(entries, compression=zipfile.ZIP_DEFLATED):
    """A zip of (name or ZipInfo, bytes) pairs; a dict serves as well."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as target:
        for name, data in entries.items() if isinstance(entries, dict) else entries:
            target.writestr(name, data)
    return buffer.getvalue()


def tar_bytes(entries, mode="w", **options):
    """A tar of (name or TarInfo, bytes) pairs; a dict serves as well."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode, **options) as target:
        for name, data in entries.items() if isinstance(entries, dict) else entries:
            entry = tarfile.TarInfo(name) if isinstance(name, str) else name
            entry.size = len(data)
            target.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def patched(data, *, local, central, value, form="<H"):
    """The zip `data` with a field of every header overwritten, at its offset in each kind."""
    data = bytearray(data)
    for mark, offset in ((LOCAL, local), (CENTRAL, central)):
        place = data.find(mark)
        while place >= 0:
            struct.pack_into(form, data, place + offset, value)
            place = data.find(mark, place + 4)
    return bytes(data)


def encrypted(data):
    """The zip `data`, marked as needing a password."""
    return patched(data, local=6, central=8, value=1)


def with_compression(data, method):
    """The zip `data`, claiming to be compressed by another method."""
    return patched(data, local=8, central=10, value=method)


def with_declared_size(data, size):
    """The zip `data`, lying about how large its entries are."""
    return patched(data, local=22, central=24, value=size, form="<I")


@pytest.fixture
def found(tmp_path):
    """Write bytes to a file and list what the archive is found to hold."""

    def read(data, *, total=64 * MEBIBYTE, per_file=MEBIBYTE, name="pictures.zip"):
        path = tmp_path / name
        path.write_bytes(data)
        return list(reading.files_of(path, max_total_bytes=total, max_file_bytes=per_file))

    return read


def statuses(rows):
    """Name -> status of what was found."""
    return {row.name: str(row.status) for row in rows}


def contents(rows):
    """Name -> bytes of the pictures found."""
    return {row.name: row.data for row in rows if row.data is not None}
