"""A large file at an address: taken up where it broke off, checked, and whole or not there.

Half-finished bytes lie beside a note of the validator (ETag or Last-Modified) that they belong to;
`If-Range` makes the server send the rest only if the file is still the same one.
"""

import contextlib
import hashlib
import json
import re
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from requests import Response

from storage import atomic, digests
from storage.errors import SourceDamaged, SourceMissing, SourceTooLarge
from storage.statuses import DownloadStatus
from tasks.acquire.web import failures, limits, responses
from tasks.acquire.web.connections import GuardedAdapter
from tasks.acquire.web.limits import MEBIBYTE, Allowance, Limits
from tasks.acquire.web.response_bodies import BLOCK, declared_bytes
from tasks.acquire.web.responses import Failure

BACKOFF_SECONDS = 1.0
# An attempt that brought so much was none in vain: the count of attempts starts again.
PROGRESS_BYTES = MEBIBYTE
# Content-Range: the first byte, and the size of the whole.
RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
CHECKSUM = re.compile(r"(md5|sha1|sha256|sha512):[0-9a-f]+", re.IGNORECASE)


@dataclass(frozen=True)
class Fetched:
    """A whole file: where it came from, its SHA-256, and what the server calls this version."""

    url: str
    etag: str = ""
    last_modified: str = ""
    bytes: int = 0
    digest: str = ""

    @property
    def validator(self) -> str:
        """What `If-Range` takes: a strong ETag, else the date; '' if there is neither."""
        return self.last_modified if self.etag.startswith("W/") else self.etag or self.last_modified


def file_limits(max_bytes: int) -> Limits:
    """What a large file may cost: a day, and `max_bytes`."""
    return Limits(
        max_file_bytes=max_bytes, total_seconds=24 * 3600.0, read_seconds=60.0, attempts=5
    )


def download(
    url: str,
    target: Path,
    unfinished: Path,
    adapter: GuardedAdapter,
    *,
    allowed: Limits,
    checksum: str = "",
    revisit: bool = False,
) -> Fetched:
    """`target` holds the whole file at `url`; what was fetched before is not fetched again.

    `unfinished` is a folder for halves; `checksum` reads `sha256:…` (also sha512, sha1, md5). A
    target that is there is kept; with `revisit` the server is asked whether there is a newer one.
    One with another checksum stays until the right one is whole. Only one thread may work on `url`
    at a time. SourceMissing when it cannot be had, SourceTooLarge, SourceDamaged for a wrong
    checksum.
    """
    if checksum and not CHECKSUM.fullmatch(checksum):
        raise SourceDamaged(f"expected a checksum like sha256:…, found {checksum!r}")
    known = _whole(target, url, checksum)
    if known is not None and not revisit:
        return known
    half = Half(url, unfinished / f"{digests.of_bytes(url.encode())[:32]}.half")
    fetched = half.completed(adapter, allowed, known)
    if fetched is None:
        if known is None:
            raise SourceMissing(f"{url}: answered 304, unchanged, to a request without condition")
        return known
    half.require_checksum(checksum)
    fetched = replace(fetched, bytes=_size(half.path), digest=digests.of_file(half.path))
    target.parent.mkdir(parents=True, exist_ok=True)
    # Without its note a file is as good as absent: the note goes first and comes last.
    _note_of(target).unlink(missing_ok=True)
    half.path.replace(target)
    atomic.write_json(_note_of(target), asdict(fetched))
    half.forget()
    return fetched


def _whole(target: Path, url: str, checksum: str) -> Fetched | None:
    """The note of `target` if it is the whole file at `url` and has this checksum."""
    known = _noted(_note_of(target))
    if known is None or known.url != url or _size(target) != known.bytes:
        return None
    return known if not checksum or _checksum(target, checksum) == checksum.lower() else None


def _checksum(path: Path, like: str) -> str:
    """The file's checksum, of the kind of `like`."""
    kind = like.partition(":")[0].lower()
    with path.open("rb") as stream:
        return f"{kind}:{hashlib.file_digest(stream, kind).hexdigest()}"


class Half:
    """The part of a file that has come so far, and the note that says which version it is of."""

    def __init__(self, url: str, path: Path) -> None:
        self.url = url
        self.path = path
        self._note = path.with_suffix(".json")

    def completed(
        self, adapter: GuardedAdapter, allowed: Limits, known: Fetched | None
    ) -> Fetched | None:
        """The version that is whole at `path` now; None if `known` is still the newest."""
        deadline = time.monotonic() + allowed.total_seconds
        attempts = 0
        while True:
            before = _size(self.path)
            outcome = self._attempt(adapter, allowed, known, deadline)
            if not isinstance(outcome, Failure):
                return outcome
            attempts = 1 if _size(self.path) - before >= PROGRESS_BYTES else attempts + 1
            pause = outcome.later or BACKOFF_SECONDS * 2 ** (attempts - 1)
            patient = attempts < allowed.attempts and pause <= allowed.longest_wait_seconds
            if not (outcome.status.may_succeed_now and patient):
                raise _error(self.url, outcome)
            time.sleep(pause)

    def require_checksum(self, checksum: str) -> None:
        """SourceDamaged, and start from nothing next time, for another checksum; '' asks none."""
        if not checksum:
            return
        found = _checksum(self.path, checksum)
        if found != checksum.lower():
            self.forget()
            raise SourceDamaged(
                f"{self.url}: expected {checksum}, found {found}. The file has changed or "
                "was damaged on its way: run again, or correct the checksum"
            )

    def forget(self) -> None:
        """Start from nothing next time."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def _attempt(
        self, adapter: GuardedAdapter, allowed: Limits, known: Fetched | None, deadline: float
    ) -> Fetched | Failure | None:
        left = float(allowed.max_file_bytes + limits.OVERHEAD_BYTES)
        allowance = Allowance(deadline, allowed.connect_seconds, allowed.read_seconds, left)
        try:
            with limits.spending(allowance):
                return self._sent(adapter, allowed, known)
        except failures.EXPECTED as error:
            return Failure(*failures.explained(error))

    def _sent(
        self, adapter: GuardedAdapter, allowed: Limits, known: Fetched | None
    ) -> Fetched | Failure | None:
        headers = self._headers(known)
        target = self.url
        for _ in range(allowed.redirects + 1):
            with contextlib.closing(adapter.get(target, headers)) as response:
                code = response.status_code
                if code not in responses.REDIRECT_CODES or "Location" not in response.headers:
                    return self._taken(response, allowed.max_file_bytes)
                target = responses.location(response)
        return Failure(DownloadStatus.TOO_MANY_REDIRECTS, "too many redirects", code)

    def _headers(self, known: Fetched | None) -> dict[str, str]:
        half, size = _noted(self._note), _size(self.path)
        if half is not None and half.url == self.url and half.validator and size:
            return {"Range": f"bytes={size}-", "If-Range": half.validator}
        headers = {}
        if known is not None and known.etag:
            headers["If-None-Match"] = known.etag
        if known is not None and known.last_modified:
            headers["If-Modified-Since"] = known.last_modified
        return headers

    def _taken(self, response: Response, limit: int) -> Fetched | Failure | None:
        code = response.status_code
        if code == 304:
            return None
        if code == 206:
            return self._continued(response, limit)
        if code == 416:
            return self._with_nothing_left(response)
        if status := failures.of_code(code):
            later = responses.retry_after(response)
            return Failure(status, responses.described(response), code, later=later)
        version = _version(self.url, response)
        self.forget()
        atomic.write_json(self._note, asdict(version))
        self._append(response, limit)
        size, promised = _size(self.path), _promised(response)
        if promised and size != promised:
            self.forget()
            words = f"{size:,} bytes of {promised:,}"
            return Failure(DownloadStatus.INCOMPLETE, words, code)
        return version

    def _with_nothing_left(self, response: Response) -> Fetched | Failure:
        """The version that the half is of, if the answer says that it has all bytes of that."""
        noted, sent = _noted(self._note), _version(self.url, response)
        if (
            noted is not None
            and response.headers.get("Content-Range") == f"bytes */{_size(self.path)}"
            # What the answer leaves out has not changed: `If-Range` was sent.
            and sent.etag in ("", noted.etag)
            and sent.last_modified in ("", noted.last_modified)
        ):
            return noted
        self.forget()
        words = "the server has less than was fetched before"
        return Failure(DownloadStatus.INCOMPLETE, words, 416)

    def _continued(self, response: Response, limit: int) -> Fetched | Failure:
        match = RANGE.fullmatch(response.headers.get("Content-Range", ""))
        noted = _noted(self._note)
        if match is None or int(match[1]) != _size(self.path) or noted is None:
            self.forget()
            words = "the server sent another part than it was asked for"
            return Failure(DownloadStatus.INCOMPLETE, words, 206)
        self._append(response, limit)
        if match[2] != "*" and _size(self.path) != int(match[2]):
            words = f"{_size(self.path):,} bytes of {match[2]}"
            return Failure(DownloadStatus.INCOMPLETE, words, 206)
        return noted

    def _append(self, response: Response, limit: int) -> None:
        count = _size(self.path)
        _require_room(self.url, count + declared_bytes(response), limit)
        blocks = response.raw.stream(BLOCK, decode_content=False)
        with self.path.open("ab") as half:
            for block in blocks:
                count += len(block)
                _require_room(self.url, count, limit)
                with atomic.explained(self.path):
                    half.write(block)
                    half.flush()


def _version(url: str, response: Response) -> Fetched:
    headers = response.headers
    return Fetched(url, headers.get("ETag", ""), headers.get("Last-Modified", ""))


def _promised(response: Response) -> int:
    """How many bytes the file has by Content-Length; 0 if that counts something else or nothing."""
    framed = "Transfer-Encoding" in response.headers or "Content-Encoding" in response.headers
    return 0 if framed else declared_bytes(response)


def _require_room(url: str, count: int, limit: int) -> None:
    if count > limit:
        raise SourceTooLarge(
            f"{url} has {count:,} bytes or more: expected at most {limit:,}. If that is right, "
            "raise source.max_total_bytes"
        )


def _error(url: str, failure: Failure) -> SourceMissing:
    retry = "Try again later" if failure.status.may_succeed_later else "Check the address"
    return SourceMissing(
        f"expected a file at {url}, found: {failure.status} ({failure.reason}). {retry}; "
        "what has come so far is kept"
    )


def _note_of(target: Path) -> Path:
    return target.with_name(f"{target.name}.source.json")


def _noted(path: Path) -> Fetched | None:
    try:
        return Fetched(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
