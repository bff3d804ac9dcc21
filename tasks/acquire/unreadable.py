"""What Python's own readers of zips, tars and streams raise on bytes that they did not expect."""

import lzma
import struct
import tarfile
import zipfile
import zlib

UNREADABLE = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, RuntimeError, OSError, ValueError),
)
