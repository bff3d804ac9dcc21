"""What libraries in C print about a picture (libjpeg's warnings): caught, not printed.

They write to C's `stderr`, which Python does not use: it is pointed at a file during the block.
Where there is no such variable (Windows), messages are printed as before.
"""

import ctypes
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# libjpeg, libpng and libtiff.
OF_PICTURES = re.compile(
    r"JPEG|libpng|TIFF|extraneous bytes|[Pp]remature end|Huffman|SOS|restart marker"
)
NAMES = ("stderr", "__stderrp")  # glibc and musl; macOS

_lock = threading.Lock()


class Messages:
    """What was printed since one last asked."""

    def __init__(self, stream: int | None, file: int, library: ctypes.CDLL | None) -> None:
        self._stream, self._file, self._library, self._read = stream, file, library, 0

    def new(self) -> list[str]:
        """The lines that came; of pictures that were decoded at once nobody knows whose."""
        if self._library is None:
            return []
        self._library.fflush(ctypes.c_void_p(self._stream))
        text = os.pread(self._file, 1 << 20, self._read)
        self._read += len(text)
        return text.decode("utf-8", "replace").splitlines()


@contextmanager
def caught() -> Iterator[Messages]:
    """Catch what is printed during the block; one block at a time."""
    with _lock, _redirected() as messages:
        yield messages


@contextmanager
def quiet() -> Iterator[None]:
    """Let nothing be printed about pictures during the block: `clean` has made remarks of it.

    What others print comes after the block. Where another block catches already, that is enough.
    """
    if not _lock.acquire(blocking=False):
        yield
        return
    others: list[str] = []
    try:
        with _redirected() as messages:
            try:
                yield
            finally:
                others = [line for line in messages.new() if not OF_PICTURES.search(line)]
    finally:
        _lock.release()
        sys.stderr.writelines(f"{line}\n" for line in others)


@contextmanager
def _redirected() -> Iterator[Messages]:
    with tempfile.TemporaryFile() as file:
        library = _library()
        pointer = _pointer(library)
        if library is None or pointer is None:
            yield Messages(None, file.fileno(), None)
            return
        stream = library.fdopen(os.dup(file.fileno()), b"w")
        before, pointer.value = pointer.value, stream
        try:
            yield Messages(stream, file.fileno(), library)
        finally:
            pointer.value = before
            library.fclose(ctypes.c_void_p(stream))


def _library() -> ctypes.CDLL | None:
    if os.name != "posix":
        return None
    library = ctypes.CDLL(None)
    library.fdopen.restype = ctypes.c_void_p
    return library


def _pointer(library: ctypes.CDLL | None) -> ctypes.c_void_p | None:
    for name in NAMES if library is not None else ():
        try:
            return ctypes.c_void_p.in_dll(library, name)  # type: ignore[arg-type]
        except ValueError:
            continue
    return None
