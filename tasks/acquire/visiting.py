"""Going to the web for what a source needs before it can be read, and going there again."""

from typing import Any

from storage import atomic
from storage.errors import ParameterError
from storage.workspace import Workspace
from tasks.acquire import identity
from tasks.acquire.parameters import Archive, Synsets, Web, WebArchive
from tasks.acquire.web.downloader import Manners
from tasks.acquire.web.limits import Limits
from tasks.acquire.web.synset_rows import list_files, web_archive


def manners_of(source: Web) -> Manners:
    """How this source's hosts are treated."""
    return Manners(
        concurrency=source.per_host_concurrency,
        rate=source.per_host_rate,
        obey_robots=source.obey_robots,
        allow_private_addresses=source.allow_private_addresses,
    )


def limits_of(source: Web) -> Limits:
    """What one address of this source may cost."""
    return Limits(
        max_file_bytes=source.max_file_bytes,
        connect_seconds=source.connect_seconds,
        read_seconds=source.read_seconds,
        total_seconds=source.total_seconds,
    )


def fetch(workspace: Workspace, source: Any, *, revisit: bool = False) -> None:
    """Bring lists and archives from the web to this disk, those that are not there yet.

    With `revisit` those that are there are asked for again, on condition that they have changed.
    Nothing is done for other kinds of sources.
    """
    manners = manners_of(source) if isinstance(source, Web) else Manners()
    if isinstance(source, WebArchive):
        web_archive(
            workspace, source.url, checksum=source.checksum,
            max_total_bytes=source.max_total_bytes, manners=manners, revisit=revisit,
        )  # fmt: skip
    elif isinstance(source, Synsets):
        list_files(
            workspace, source.synsets, source.url_list,
            max_total_bytes=source.max_total_bytes, manners=manners, revisit=revisit,
        )  # fmt: skip


def begin_visit(workspace: Workspace, source: Any) -> None:
    """Make the next `acquire` go through the addresses of a synset source again."""
    fetch(workspace, source, revisit=True)
    if isinstance(source, Synsets):
        number = identity.visits(workspace, source) + 1
        atomic.write_json(identity.visit_file(workspace, source), {"visits": number})


def require_revisitable(source: Any) -> None:
    """ParameterError for what Kaggle's client keeps: it is downloaded once."""
    if isinstance(source, Archive) and source.kaggle and not source.archive.exists():
        raise ParameterError(
            f"expected a source that can be looked at again, found {source.kaggle}, which Kaggle's "
            "client downloads once: put each new version at source.archive"
        )
