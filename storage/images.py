"""The image store: every picture once, under the SHA-256 of its bytes."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from storage import atomic, digests, elsewhere, fingerprints
from storage.errors import MEND, StorageDamaged

# First bytes -> suffix. A file name is where a picture was found, never what it is.
SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", ".jpg"),
    (b"\x89PNG\r\n\x1a\n", ".png"),
    (b"GIF87a", ".gif"),
    (b"GIF89a", ".gif"),
    (b"BM", ".bmp"),
    (b"II*\x00", ".tif"),
    (b"MM\x00*", ".tif"),
    (b"\xff\x0a", ".jxl"),
    (b"\x00\x00\x00\x0cJXL ", ".jxl"),
    (b"FUJIFILMCCD-RAW", ".raf"),
)
# The brand that stands at the eighth byte of a file that begins with `ftyp` -> suffix.
BRANDS = {
    b"avif": ".avif", b"avis": ".avif", b"crx ": ".cr3",
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"), ".heic"),
}  # fmt: skip
UNKNOWN_SUFFIX = ".bin"
# How files are called whose bytes are stored under another suffix.
SAME_SUFFIX = {
    **dict.fromkeys((".jpeg", ".jpe", ".jfif", ".mpo"), ".jpg"), ".tiff": ".tif", ".dib": ".bmp",
}  # fmt: skip


def suffix_of(data: bytes) -> str:
    """The suffix for these bytes, sniffed; `.bin` for what is no known picture."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return ".webp"
    if data[4:8] == b"ftyp" and data[8:12] in BRANDS:
        return BRANDS[data[8:12]]
    return next((suffix for mark, suffix in SIGNATURES if data.startswith(mark)), UNKNOWN_SUFFIX)


@dataclass(frozen=True)
class ImageStore:
    """Pictures by digest under `root`: `ab/abcd….jpg`. Written once, read-only afterwards."""

    root: Path

    def path(self, name: str) -> Path:
        """The file of an image's stored name (`abcd….jpg`)."""
        return Path(self._place(name))

    def _place(self, name: str) -> str:
        # A text: making a path takes ten times as long as looking whether a file is there.
        return f"{self.root}/{name[:2]}/{name}"

    def add(self, data: bytes) -> str:
        """The stored name of these bytes; they are written only if they are not there, whole."""
        name = digests.of_bytes(data) + suffix_of(data)
        path = self.path(name)
        if self.has(name, len(data)):
            os.utime(path)  # wanted again: too young to be collected before somebody says why
        else:
            atomic.write_file(path, lambda temporary: _write_read_only(temporary, data))
        return name

    def again(self, digest: str, suffix: str, size: int) -> str:
        """The stored name of bytes with this digest and size, "" if they are not there.

        `suffix` is that of their file, a guess: of what turns out to be something else they are
        not found. As `add`, it keeps them from being collected.
        """
        name = digest + SAME_SUFFIX.get(suffix, suffix)
        if not self.has(name, size):
            return ""
        os.utime(self._place(name))
        return name

    def read(self, name: str) -> bytes:
        """The bytes of an image; StorageDamaged if they are not what its name says."""
        path = self.path(name)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            if elsewhere.remote_of(path) is None:
                raise
            if not elsewhere.fetched(path):
                raise StorageDamaged(
                    f"the picture {path} is neither here nor in the remote, whole: {MEND}"
                ) from None
            data = path.read_bytes()
        if not name.startswith(digests.of_bytes(data)):
            raise StorageDamaged(f"the picture {path} is damaged: {MEND}")
        return data

    def has(self, name: str, size: int) -> bool:
        """Whether the image is there with `size` bytes; it is not opened."""
        try:
            return os.stat(self._place(name)).st_size == size
        except OSError:
            return False

    def names(self) -> Iterator[str]:
        """Every stored name."""
        for path in sorted(self.root.glob("??/*")):
            if not path.name.startswith(atomic.TEMPORARY_PREFIX):
                yield path.name

    def damaged(self) -> Iterator[Path]:
        """Images whose bytes are not what their name says; all are read."""
        for name in self.names():
            if not fingerprints.holds(self.path(name), Path(name).stem):
                yield self.path(name)


def _write_read_only(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    # The folder trees are hard links to these files: an editor must not change them in place.
    path.chmod(0o444)
