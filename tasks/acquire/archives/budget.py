"""What may be unpacked of an archive, and how one entry of it is read."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from storage import atomic
from storage.errors import SourceTooLarge
from storage.statuses import Status
from tasks.acquire.files import (
    HEAD,
    Found,
    bytes_decide,
    is_unsafe,
    looks_like_picture,
    no_picture,
    too_many_bytes,
)
from tasks.acquire.tables import files as table_files
from tasks.acquire.unreadable import UNREADABLE

BLOCK = 1 << 20


@dataclass
class Budget:
    """How many bytes may still be unpacked; real bytes count, declared sizes only warn early.

    `pictures` is whether pictures are read, or only named.
    """

    archive: Path
    total: int
    per_file: int
    pictures: bool = True
    spent: int = 0

    def spend(self, count: int) -> None:
        """Take `count` bytes; SourceTooLarge when they are not left."""
        self.spent += count
        if self.spent > self.total:
            raise SourceTooLarge(
                f"{self.archive} unpacks to more than {self.total:,} bytes: expected an archive of "
                "pictures, found what may be a decompression bomb. If it is genuine, raise "
                "source.max_total_bytes"
            )

    def read(self, stream: IO[bytes], name: str) -> bytes | Found | None:
        """The rest of `stream`; None if it is longer than one picture file may be.

        A Found where the bytes have to tell that it is a picture, and do not.
        """
        head = stream.read(HEAD) if bytes_decide(name) else b""
        if bytes_decide(name) and not looks_like_picture(head):
            self.spend(len(head))
            return no_picture(name)
        data = head + stream.read(max(0, self.per_file + 1 - len(head)))
        self.spend(len(data))
        return data if len(data) <= self.per_file else None

    def copy(self, stream: IO[bytes], target: IO[bytes]) -> None:
        """Copy `stream`, block by block, within the budget."""
        while block := stream.read(BLOCK):
            self.spend(len(block))
            target.write(block)


def refused(name: str, names: set[str], *, is_link: bool) -> Found | None:
    """The row for an entry that is not looked into."""
    if is_link:
        return Found(name, None, Status.UNSAFE_NAME, "a link or a device, not a file")
    if not name:
        return Found(name, None, Status.UNSAFE_NAME, "it has no name")
    if is_unsafe(name):
        return Found(name, None, Status.UNSAFE_NAME, "the name leads out of its folder")
    if name in names:
        return Found(name, None, Status.DUPLICATE_NAME, "a file of this name came before")
    names.add(name)
    return None


def plain_name(name: str) -> str:
    """The name without what says nothing: the dot of `./cat/1.jpg`."""
    while name.startswith("./"):
        name = name[2:].lstrip("/")
    return name


def picture(
    name: str, declared: int, opened: Callable[[], IO[bytes]], budget: Budget, time: str = ""
) -> Found:
    """An entry that may be a picture: its bytes, or why there are none."""
    if declared > budget.per_file:
        return too_many_bytes(name, budget.per_file)
    if not budget.pictures and not bytes_decide(name):
        return Found(name, time=time)
    try:
        with contextlib.closing(opened()) as stream:
            if not budget.pictures:
                head = stream.read(HEAD)
                return Found(name) if looks_like_picture(head) else no_picture(name)
            data = budget.read(stream, name)
    except UNREADABLE as error:
        return Found(name, None, Status.DAMAGED, str(error) or type(error).__name__)
    if isinstance(data, bytes):
        return Found(name, data, time=time)
    return data or too_many_bytes(name, budget.per_file)


def of_record(name: str, data: bytes, budget: Budget, otherwise: Found) -> Found:
    """A picture whose bytes a record holds; `otherwise` where they are those of none."""
    if len(data) > budget.per_file:
        return too_many_bytes(name, budget.per_file)
    if not looks_like_picture(data[:HEAD]) and not data.startswith(b"BM"):
        return otherwise
    return Found(name, data if budget.pictures else None)


def with_table(found: Found, size: int, opened: Callable[[], IO[bytes]], budget: Budget) -> Found:
    """The same row, with the file's bytes kept where it may be a table of labels."""
    if found.status is not Status.NOT_A_PICTURE or not table_files.may_be_table(found.name):
        return found
    if size > table_files.MOST_BYTES:
        return found
    # A file that cannot be read back is a row like any other; it is no table.
    with contextlib.suppress(*UNREADABLE), contextlib.closing(opened()) as stream:
        table = table_files.of_stream(found.name, stream, table_files.MOST_BYTES)
        if table is not None:
            budget.spend(table.size)
            return Found(found.name, None, found.status, found.reason, table=table)
    return found


def temporary_space() -> contextlib.AbstractContextManager[None]:
    """What says that the temporary folder is full, where it is."""
    return atomic.explained(Path(tempfile.gettempdir()))


@contextlib.contextmanager
def temporary_file() -> Iterator[IO[bytes]]:
    """A file that is gone after the block."""
    with temporary_space(), tempfile.TemporaryFile() as copy:
        yield copy
