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


def as_text(value: Any) -> str:
    """A JSON-serialisable value as one text, the same whatever the order of its keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def of_value(value: Any) -> str:
    """SHA-256 of a JSON-serialisable value, the same whatever the order of its keys."""
    return of_bytes(as_text(value).encode())
