"""The source kind `archive`: a zip or tar on this disk, or one that Kaggle's client brings."""

from collections.abc import Iterator
from pathlib import Path

from storage import digests
from storage.errors import ParameterError
from storage.fingerprints import Fingerprints
from storage.workspace import Workspace
from tasks.acquire import kaggle
from tasks.acquire.archives import reading
from tasks.acquire.collection import Collected, collect
from tasks.acquire.files import Found
from tasks.acquire.gathering import Gathering
from tasks.acquire.kinds import folders
from tasks.acquire.parameters import Archive, Packed, SourceParameters


def fetch(workspace: Workspace, source: Archive, *, revisit: bool) -> None:
    """Nothing: what is not on this disk, Kaggle's client downloads when its rows are wanted."""


def fingerprint(workspace: Workspace, source: Archive) -> str:
    """Of the archive; of the address while it is at Kaggle."""
    if source.archive.is_file():
        memo = Fingerprints(workspace.fingerprints)
        return digests.of_value(memo.of_files([source.archive]))
    return digests.of_value([source.kaggle or str(source.archive)])


def rows(source: Archive, gathering: Gathering) -> Collected:
    """Every file of the archive."""
    if _is_at_kaggle(source):
        folder = kaggle.fetch(str(source.kaggle), source.archive)
        return collect(_downloaded(folder, source), source, str(source.kaggle), gathering)
    files = files_in(source.archive, source)
    return collect(files, source, source.archive.name, gathering)


def listing(source: Archive) -> Iterator[Found]:
    """The names of every file of the archive."""
    yield from files_in(source.archive, source, pictures=False)


def files_in(path: Path, limits: Packed, *, pictures: bool = True) -> Iterator[Found]:
    """The files of a zip or tar, within the source's limits."""
    return reading.files_of(
        path,
        max_total_bytes=limits.max_total_bytes,
        max_file_bytes=limits.max_file_bytes,
        pictures=pictures,
    )


def require_revisitable(source: SourceParameters) -> None:
    """ParameterError for what Kaggle's client keeps: it is downloaded once."""
    if isinstance(source, Archive) and _is_at_kaggle(source):
        raise ParameterError(
            f"expected a source that can be looked at again, found {source.kaggle}, which Kaggle's "
            "client downloads once: put each new version at source.archive"
        )


def _is_at_kaggle(source: Archive) -> bool:
    return bool(source.kaggle) and not source.archive.exists()


def _downloaded(folder: Path, source: Archive) -> Iterator[Found]:
    for path in kaggle.archives_in(folder):
        yield from files_in(path, source)
    yield from folders.files_of(folder, max_file_bytes=source.max_file_bytes)
