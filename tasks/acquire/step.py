"""The step `acquire`: a source goes in, a collection comes out."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from storage.errors import SourceChanged
from storage.images import ImageStore
from storage.references import CollectionRef
from storage.workspace import Workspace
from tasks.acquire import archives, folders, identity, kaggle, visiting
from tasks.acquire.collection import collect, save
from tasks.acquire.files import Found
from tasks.acquire.labels import Labeller, by_first_folder, labeller_of
from tasks.acquire.parameters import (
    MANNERS,
    Archive,
    Digits,
    Folders,
    Labels,
    Source,
    Synsets,
    WebArchive,
)
from tasks.acquire.web.synset_rows import archive_files, collect_synsets, is_archive_list
from tasks.running.progress import Advance, progress_artifact, tracked
from tasks.running.steps import step

if TYPE_CHECKING:
    import pandas as pd

Again = Literal["no", "failed", "all"]


# How hosts are treated decides when the pictures come, not which.
WITHOUT_EFFECT = frozenset({"again", *(f"source.{name}" for name in MANNERS)})


@step(without_effect=WITHOUT_EFFECT)
def acquire(
    source: Source,
    fingerprint: str,
    visits: int = 0,  # noqa: ARG001 - a part of the key
    again: Again = "no",
) -> CollectionRef:
    """Every file of the source as a row, every picture in the image store.

    `fingerprint` is what the source held when the run began; SourceChanged if that changes.
    `visits` is how often its addresses were gone through again: another visit is another result.
    `again` says which addresses that were visited before are visited once more.
    """
    workspace = Workspace.current()
    with tracked("acquire", None, progress_artifact("acquire")) as advance:
        origin, table = gathered(workspace, source, again, advance)
    if identity.fingerprint(workspace, source) != fingerprint:
        raise SourceChanged(
            f"{origin} changed while it was being read: expected a finished source. Wait until it "
            "is written completely, then run again"
        )
    return save(workspace, table, origin)


def gathered(
    workspace: Workspace, source: Source, again: Again, advance: Advance
) -> tuple[str, "pd.DataFrame"]:
    """The source's name, to be shown, and the rows of its collection."""
    images = ImageStore(workspace.images)
    if isinstance(source, Synsets) and not is_archive_list(source.url_list):
        table = collect_synsets(
            workspace,
            source.synsets,
            source.url_list,
            first=source.first,
            max_total_bytes=source.max_total_bytes,
            retry_failed=again != "no",
            revisit=again == "all",
            limits=visiting.limits_of(source),
            manners=visiting.manners_of(source),
            advance=advance,
        )
        return source.url_list, table
    downloaded = _from_kaggle(source)
    origin, files = opened(workspace, source, downloaded)
    label_of = _labeller(source, workspace, downloaded)
    return origin, collect(files, label_of, origin, images, advance)


def _from_kaggle(source: Source) -> Path | None:
    """The folder that Kaggle's client put an archive into which is not on disk."""
    if isinstance(source, Archive) and source.kaggle and not source.archive.exists():
        return kaggle.fetch(source.kaggle, source.archive)
    return None


def opened(
    workspace: Workspace, source: Source, downloaded: Path | None
) -> tuple[str, Iterator[Found]]:
    """The source's name, to be shown, and its files; `downloaded` is Kaggle's folder, if any."""
    if isinstance(source, Folders):
        files = folders.files_of(source.folder, max_file_bytes=source.max_file_bytes)
        # Its name alone: at another path the same pictures are the same collection.
        return source.folder.resolve().name, files
    if isinstance(source, Digits):
        return "digits", _archive_files(identity.digits_zip(workspace), Archive(archive=Path()))
    if isinstance(source, WebArchive):
        file = identity.as_archive(workspace, source)
        return source.url, _archive_files(file.archive, file)
    if isinstance(source, Synsets):
        return source.url_list, _synset_archives(workspace, source)
    if downloaded is not None:
        return str(source.kaggle), _downloaded_files(downloaded, source)
    return source.archive.name, _archive_files(source.archive, source)


def _archive_files(path: Path, limits: Labels) -> Iterator[Found]:
    return archives.files_of(
        path, max_total_bytes=limits.max_total_bytes, max_file_bytes=limits.max_file_bytes
    )


def _synset_archives(workspace: Workspace, source: Synsets) -> Iterator[Found]:
    return archive_files(
        workspace,
        source.synsets,
        source.url_list,
        manners=visiting.manners_of(source),
        max_total_bytes=source.max_total_bytes,
        max_file_bytes=source.max_file_bytes,
    )


def _labeller(source: Source, workspace: Workspace, downloaded: Path | None) -> Labeller:
    if isinstance(source, Synsets):
        classes = {wnid: label for label, wnid in source.synsets.items()}
        return lambda name: classes.get(by_first_folder(name), "")
    if isinstance(source, WebArchive):
        return labeller_of(identity.as_archive(workspace, source))
    return labeller_of(source, downloaded)


def _downloaded_files(folder: Path, source: Archive) -> Iterator[Found]:
    for path in kaggle.archives_in(folder):
        yield from _archive_files(path, source)
    yield from folders.files_of(folder, max_file_bytes=source.max_file_bytes)
