"""The step `acquire`: a source goes in, a collection comes out."""

from collections.abc import Iterator
from pathlib import Path

from prefect import task

from storage.errors import SourceChanged
from storage.images import ImageStore
from storage.references import CollectionRef
from storage.workspace import Workspace
from tasks.acquire import archive, folders, identity, kaggle
from tasks.acquire.collection import collect, save
from tasks.acquire.found import Found
from tasks.acquire.labels import labeller_of
from tasks.acquire.sources import Archive, Digits, Folders, Source
from tasks.caching import BY_CONTENT, progress_artifact
from tasks.progress import tracked


@task(name="acquire", cache_policy=BY_CONTENT)
def acquire(source: Source, fingerprint: str) -> CollectionRef:
    """Every file of the source as a row, every picture in the image store.

    `fingerprint` is what the source held when the run began; SourceChanged if that changes.
    """
    workspace = Workspace.current()
    origin, files = opened(workspace, source)
    with tracked("acquire", 0, progress_artifact("acquire")) as advance:
        table = collect(files, labeller_of(source), origin, ImageStore(workspace.images), advance)
    if identity.fingerprint(workspace, source) != fingerprint:
        raise SourceChanged(
            f"{origin} changed while it was being read: expected a finished source. Wait until it "
            "is written completely, then run again"
        )
    return save(workspace, table, origin)


def opened(workspace: Workspace, source: Source) -> tuple[str, Iterator[Found]]:
    """The source's name, to be shown, and its files."""
    if isinstance(source, Folders):
        files = folders.files_of(source.folder, max_file_bytes=source.max_file_bytes)
        return str(source.folder), files
    if isinstance(source, Digits):
        return "digits", _archive_files(identity.digits_zip(workspace), Archive(archive=Path()))
    if source.kaggle and not source.archive.exists():
        folder = kaggle.fetch(source.kaggle, source.archive)
        return source.kaggle, _downloaded_files(folder, source)
    return source.archive.name, _archive_files(source.archive, source)


def _archive_files(path: Path, limits: Archive) -> Iterator[Found]:
    return archive.files_of(
        path, max_total_bytes=limits.max_total_bytes, max_file_bytes=limits.max_file_bytes
    )


def _downloaded_files(folder: Path, source: Archive) -> Iterator[Found]:
    for path in sorted(folder.rglob("*.zip")):
        yield from _archive_files(path, source)
    yield from folders.files_of(folder, max_file_bytes=source.max_file_bytes)
