"""The source kind `archive`: a zip or tar on this disk, or one that Kaggle's client brings."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from storage import digests
from storage.errors import ParameterError
from storage.fingerprints import Fingerprints
from storage.workspace import Workspace
from tasks.acquire import archives, kaggle, labels
from tasks.acquire.collection import collect
from tasks.acquire.files import Found
from tasks.acquire.gathering import Gathering
from tasks.acquire.kinds import folders
from tasks.acquire.parameters import Archive, Labels, SourceParameters


def fetch(workspace: Workspace, source: Archive, *, revisit: bool) -> None:
    """Nothing: what is not on this disk, Kaggle's client downloads when its rows are wanted."""


def fingerprint(workspace: Workspace, source: Archive) -> str:
    """Of the archive and of a label table on disk; of the address while it is at Kaggle."""
    memo = Fingerprints(workspace.fingerprints)
    tables = [Path(source.label_csv)] if source.label_csv else []
    tables = [path for path in tables if path.is_file()]
    if source.archive.is_file():
        return digests.of_value(memo.of_files([source.archive, *tables]))
    return digests.of_value([source.kaggle or str(source.archive), *memo.of_files(tables)])


def rows(source: Archive, gathering: Gathering) -> tuple[str, pd.DataFrame]:
    """Every file of the archive."""
    if _is_at_kaggle(source):
        folder = kaggle.fetch(str(source.kaggle), source.archive)
        origin, files = str(source.kaggle), _downloaded(folder, source)
        label_of = labels.of_archive(source, folder)
    else:
        origin, files = source.archive.name, files_in(source.archive, source)
        label_of = labels.of_archive(source)
    return origin, collect(files, label_of, origin, gathering.images, gathering.advance)


def files_in(path: Path, limits: Labels) -> Iterator[Found]:
    """The files of a zip or tar, within the source's limits."""
    return archives.files_of(
        path, max_total_bytes=limits.max_total_bytes, max_file_bytes=limits.max_file_bytes
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
