"""A folder as remote: on a disk that machines share, or on the same machine."""

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from filelock import SoftFileLock, Timeout

from storage import atomic, digests
from storage.errors import RemoteAway, StorageFull
from storage.remote.objects import LONGEST, Entry, Pointer, require_safe

LOCK = f"{atomic.TEMPORARY_PREFIX}lock"
# A lock is held for as long as one file takes to be written; an older one is a killed process's.
LOCKED_SECONDS = 60.0


class Folder:
    """Objects as files below a folder; a name is taken by a hard link, which is one act."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._root = Path(address).expanduser().resolve()

    def put_if_absent(self, name: str, source: Path | bytes) -> bool:
        """Store a file's content, or these bytes, at once; False if the name is taken already."""
        target = self._path(name)
        with self._said():
            if target.exists():
                return False
            with self._written(target, source) as temporary:
                try:
                    os.link(temporary, target)
                except FileExistsError:
                    return False
                except OSError:  # no hard links here
                    with self._locked(target):
                        if target.exists():
                            return False
                        os.replace(temporary, target)
        return True

    def get(self, name: str) -> bytes | None:
        """The object's bytes, at most LONGEST; None where there is no such object."""
        with self._said():
            try:
                with self._path(name).open("rb") as stream:
                    return stream.read(LONGEST)
            except FileNotFoundError:
                return None

    def fetch(self, name: str, target: Path) -> bool:
        """Write the object's bytes into a file, in portions; False where there is none."""
        with self._said():
            try:
                source = self._path(name).open("rb")
            except FileNotFoundError:
                return False
        with source, atomic.explained(target), target.open("wb") as out:
            shutil.copyfileobj(source, out, 2**20)
        return True

    @contextlib.contextmanager
    def reader(self, name: str) -> Iterator[IO[bytes]]:
        """The object as a file that can be read in parts."""
        with self._said():
            stream = self._path(name).open("rb")
        with stream:
            yield stream

    def names(self, prefix: str) -> Iterator[Entry]:
        """All objects in this folder and below, "" for all; half-written ones are none."""
        with self._said():
            for folder, below, files in os.walk(self._path(prefix) if prefix else self._root):
                below.sort()
                for file in sorted(files):
                    if file.startswith(atomic.TEMPORARY_PREFIX):
                        continue
                    path = Path(folder, file)
                    with contextlib.suppress(FileNotFoundError):
                        status = path.stat()
                        name = path.relative_to(self._root).as_posix()
                        yield Entry(name, status.st_size, status.st_mtime)

    def delete(self, names: Iterable[str]) -> None:
        """Remove these objects; those that are gone already are no error."""
        with self._said():
            for name in names:
                self._path(name).unlink(missing_ok=True)

    def pointer(self, name: str) -> Pointer:
        """What a pointer holds now."""
        data = self.get(name)
        return Pointer(data, None if data is None else digests.of_bytes(data))

    def move_pointer(self, name: str, data: bytes, seen: str | None) -> bool:
        """Let a pointer hold `data` if it is still at the version `seen` (None: not there)."""
        target = self._path(name)
        with self._said(), self._locked(target):
            if self.pointer(name).version != seen:
                return False
            with self._written(target, data) as temporary:
                os.replace(temporary, target)
        return True

    def _path(self, name: str) -> Path:
        return self._root / require_safe(name)

    @contextlib.contextmanager
    def _said(self) -> Iterator[None]:
        try:
            # A disk that is not mounted would else be filled below its empty place.
            if not self._root.parent.is_dir():
                raise FileNotFoundError(f"no folder {self._root.parent}")
            yield
        except (OSError, StorageFull) as error:
            reason = getattr(error, "strerror", None) or error
            raise RemoteAway(f"the remote {self.address} cannot be used ({reason})") from error

    @contextlib.contextmanager
    def _written(self, target: Path, source: Path | bytes) -> Iterator[Path]:
        """The content in a temporary file beside `target`, which is gone afterwards."""
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f"{atomic.half(atomic.WRITER)}{secrets.token_hex(8)}")
        try:
            with temporary.open("wb") as out:
                if isinstance(source, bytes):
                    out.write(source)
                else:
                    with source.open("rb") as stream:
                        shutil.copyfileobj(stream, out, 2**20)
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _locked(self, target: Path) -> Iterator[None]:
        """A lock that needs nothing of the file system but that a file is made only once."""
        target.parent.mkdir(parents=True, exist_ok=True)
        path = target.with_name(f"{LOCK}-{target.name}")
        lock = SoftFileLock(path, timeout=1)
        while True:
            try:
                lock.acquire()
                break
            except Timeout:
                with contextlib.suppress(FileNotFoundError):
                    if time.time() - path.stat().st_mtime > LOCKED_SECONDS:
                        path.unlink()
        try:
            yield
        finally:
            lock.release()
