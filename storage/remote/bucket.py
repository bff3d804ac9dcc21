"""A bucket as remote: S3 and what speaks like it, Google's, Azure's, by obstore (extra `remote`).

Credentials, region and endpoint are read from the environment (AWS_*, GOOGLE_*, AZURE_*), as
obstore does. A name is taken by a conditional put, a pointer moves if its ETag is still the same.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import IO, Any, cast

from storage import atomic
from storage.errors import MissingLibrary, RemoteAway
from storage.remote.objects import LONGEST, Entry, Pointer, require_safe

CONNECT_SECONDS, ANSWER_SECONDS, RETRY_SECONDS = 5, 60, 20
RETRIES = 3
PORTION = 2**20
NO_BUCKET = ("NoSuchBucket", "ContainerNotFound", "The specified bucket does not exist")
NAMES_AT_A_TIME = 1000
ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT", "AZURE_STORAGE_ENDPOINT", "GOOGLE_BASE_URL")


class Bucket:
    """Objects in a bucket, below a prefix."""

    def __init__(self, address: str) -> None:
        try:
            import obstore
            from obstore import exceptions, store
        except ImportError as error:
            raise MissingLibrary(
                f"expected obstore for the remote {address}, found none: "
                "pip install 'darkroom[remote]'"
            ) from error
        self.address = address
        self._obstore, self._errors = obstore, exceptions
        plain = any(os.environ.get(name, "").startswith("http://") for name in ENDPOINTS)
        with self._said():
            self._store: Any = store.from_url(
                address,
                client_options={
                    "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
                    "timeout": timedelta(seconds=ANSWER_SECONDS),
                    "allow_http": plain,
                },
                retry_config={
                    "max_retries": RETRIES,
                    "retry_timeout": timedelta(seconds=RETRY_SECONDS),
                },
            )

    def put_if_absent(self, name: str, source: Path | bytes) -> bool:
        """Store a file's content, or these bytes, at once; False if the name is taken already."""
        try:
            with self._said():
                self._obstore.put(self._store, require_safe(name), source, mode="create")
        except self._errors.AlreadyExistsError:
            return False
        except (self._errors.NotFoundError, FileNotFoundError) as error:
            raise self._without_bucket() from error
        return True

    def get(self, name: str) -> bytes | None:
        """The object's bytes, at most LONGEST; None where there is no such object."""
        return self._got(name).data

    def _got(self, name: str) -> Pointer:
        try:
            with self._said():
                found = self._obstore.get(self._store, require_safe(name))
                if found.meta["size"] > LONGEST:
                    raise RemoteAway(
                        f"{name} in the remote {self.address} is longer than it can be"
                    )
                return Pointer(bytes(found.bytes()), found.meta["e_tag"])
        except (self._errors.NotFoundError, FileNotFoundError) as error:
            if any(mark in str(error) for mark in NO_BUCKET):
                raise self._without_bucket() from error
            return Pointer(None, None)

    def _without_bucket(self) -> RemoteAway:
        return RemoteAway(f"the remote {self.address} has no such bucket: make it first")

    def fetch(self, name: str, target: Path) -> bool:
        """Write the object's bytes into a file, in portions; False where there is none."""
        try:
            with self._said():
                portions = self._obstore.get(self._store, require_safe(name)).stream(PORTION)
                with atomic.explained(target), target.open("wb") as out:
                    for portion in portions:
                        out.write(portion)
        except (self._errors.NotFoundError, FileNotFoundError):
            return False
        return True

    @contextlib.contextmanager
    def reader(self, name: str) -> Iterator[IO[bytes]]:
        """The object as a file that can be read in parts."""
        with self._said():
            stream = self._obstore.open_reader(
                self._store, require_safe(name), buffer_size=PORTION // 16
            )
            yield cast("IO[bytes]", stream)

    def names(self, prefix: str) -> Iterator[Entry]:
        """All objects in this folder and below, "" for all; half-written ones are none."""
        with self._said():
            for some in self._obstore.list(self._store, prefix or None, chunk_size=NAMES_AT_A_TIME):
                for one in some:
                    yield Entry(one["path"], one["size"], one["last_modified"].timestamp())

    def delete(self, names: Iterable[str]) -> None:
        """Remove these objects; those that are gone already are no error."""
        some = list(map(require_safe, names))
        for start in range(0, len(some), NAMES_AT_A_TIME):
            with self._said(), contextlib.suppress(self._errors.NotFoundError, FileNotFoundError):
                self._obstore.delete(self._store, some[start : start + NAMES_AT_A_TIME])

    def pointer(self, name: str) -> Pointer:
        """What a pointer holds now."""
        return self._got(name)

    def move_pointer(self, name: str, data: bytes, seen: str | None) -> bool:
        """Let a pointer hold `data` if it is still at the version `seen` (None: not there)."""
        if seen is None:
            return self.put_if_absent(name, data)
        try:
            with self._said():
                self._obstore.put(
                    self._store, require_safe(name), data, mode={"e_tag": seen},
                    use_multipart=False,
                )  # fmt: skip
        except (self._errors.PreconditionError, self._errors.NotFoundError, FileNotFoundError):
            return False
        return True

    @contextlib.contextmanager
    def _said(self) -> Iterator[None]:
        """RemoteAway for all that no verb expects; a server's words may be long, and are cut."""
        expected = (
            self._errors.AlreadyExistsError,
            self._errors.NotFoundError,
            self._errors.PreconditionError,
        )
        try:
            yield
        except expected:
            raise
        except (self._errors.PermissionDeniedError, self._errors.UnauthenticatedError) as error:
            raise RemoteAway(
                f"the remote {self.address} denies this: it needs credentials in the environment "
                "that may list, read and write there"
            ) from error
        except FileNotFoundError:
            raise
        except (self._errors.BaseError, OSError, RuntimeError) as error:
            first = str(error).strip().partition("\n")[0][:200]
            raise RemoteAway(f"the remote {self.address} does not answer: {first}") from error
