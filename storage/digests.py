"""Names made of content: SHA-256 of bytes, of files and of plain values."""

import hashlib
import json
from pathlib import Path
from typing import Any


def of_bytes(data: bytes) -> str:
    """SHA-256 of `data`, 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def of_file(path: Path) -> str:
    """SHA-256 of the file's bytes, read in blocks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def marked(page: bytes, made_of: str) -> bytes:
    """An HTML page with a last line that says what it was made of, and its own SHA-256."""
    return page + f"\n<!-- {made_of} {of_bytes(page)} -->\n".encode()


def is_marked(page: bytes, made_of: str | None = None) -> bool:
    """Whether a marked page is all there, and was made of this, if given."""
    head, _, last = page.rstrip(b"\n").rpartition(b"\n")
    found = last.split()[1:2]
    wanted = found[0].decode(errors="replace") if made_of is None and found else made_of
    return wanted is not None and page == marked(head, wanted)


def as_text(value: Any) -> str:
    """A JSON-serialisable value as one text, the same whatever the order of its keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def of_value(value: Any) -> str:
    """SHA-256 of a JSON-serialisable value, the same whatever the order of its keys."""
    return of_bytes(as_text(value).encode())
