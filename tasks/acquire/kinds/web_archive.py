"""The source kind `web_archive`: a zip or tar at an address, fetched once and then on condition."""

from storage.workspace import Workspace
from tasks.acquire.collection import Collected, collect
from tasks.acquire.gathering import Gathering
from tasks.acquire.kinds import archive
from tasks.acquire.parameters import Archive, WebArchive
from tasks.acquire.web import synset_rows
from tasks.acquire.web.manners import manners_of


def fetch(workspace: Workspace, source: WebArchive, *, revisit: bool) -> None:
    """The archive, whole, in the workspace's downloads."""
    synset_rows.web_archive(
        workspace, source.url, checksum=source.checksum,
        max_total_bytes=source.max_total_bytes, manners=manners_of(source), revisit=revisit,
    )  # fmt: skip


def fingerprint(workspace: Workspace, source: WebArchive) -> str:
    """Of the file on this disk; of its address before that."""
    return archive.fingerprint(workspace, _on_disk(workspace, source))


def rows(source: WebArchive, gathering: Gathering) -> Collected:
    """Every file of the archive."""
    file = _on_disk(gathering.workspace, source)
    return collect(archive.files_in(file.archive, file), file, source.url, gathering)


def _on_disk(workspace: Workspace, source: WebArchive) -> Archive:
    """The archive as the file that it is, or will be, on this disk."""
    shared = source.model_dump(include=set(Archive.model_fields) - {"kind"})
    return Archive(archive=synset_rows.archive_path(workspace, source.url), **shared)
