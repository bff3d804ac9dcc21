"""The few verbs that a remote needs, whatever holds it: a bucket or a folder.

Names are paths of a workspace with forward slashes. What lies under a name never changes, but for
pointers, which move by compare-and-swap.
"""

import contextlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, NamedTuple, Protocol

# No name of ours has other characters, and none leads out of a folder.
SAFE = re.compile(r"(?!.*(?:^|/)\.{1,2}(?:/|$))[^/\\\x00-\x1f][^\\\x00-\x1f]*")
# Of what is read into memory at once: records, tables of contents, pointers.
LONGEST = 256 * 2**20


class Entry(NamedTuple):
    """One object of a listing: its name, its size, when it was written (seconds since 1970)."""

    name: str
    bytes: int
    written: float


class Pointer(NamedTuple):
    """What a pointer holds and in which version; both None where there is none."""

    data: bytes | None
    version: str | None


class Objects(Protocol):
    """A remote's objects; every verb raises RemoteAway where the remote does not answer."""

    address: str

    def put_if_absent(self, name: str, source: Path | bytes) -> bool:
        """Store a file's content, or these bytes, at once; False if the name is taken already."""

    def get(self, name: str) -> bytes | None:
        """The object's bytes, at most LONGEST; None where there is no such object."""

    def fetch(self, name: str, target: Path) -> bool:
        """Write the object's bytes into a file, in portions; False where there is none."""

    def reader(self, name: str) -> contextlib.AbstractContextManager[IO[bytes]]:
        """The object as a file that can be read in parts."""

    def names(self, prefix: str) -> Iterator[Entry]:
        """All objects in this folder and below, "" for all; half-written ones are none."""

    def delete(self, names: Iterable[str]) -> None:
        """Remove these objects; those that are gone already are no error."""

    def pointer(self, name: str) -> Pointer:
        """What a pointer holds now."""

    def move_pointer(self, name: str, data: bytes, seen: str | None) -> bool:
        """Let a pointer hold `data` if it is still at the version `seen` (None: not there)."""


def require_safe(name: str) -> str:
    """`name`; ValueError if it is none that a workspace has: a remote may hold anything."""
    if not SAFE.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a stored file")
    return name
