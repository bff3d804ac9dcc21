"""Synsets to rows of a collection: lists are read, what is new is downloaded and recorded."""

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd

from storage import digests, ledgers, locks
from storage.errors import SourceError, SourceMissing, SourceTooLarge
from storage.images import ImageStore
from storage.ledger import Download
from storage.ledgers import AnyLedger
from storage.names import as_file_name
from storage.statuses import DownloadStatus, Status
from storage.workspace import Workspace
from tasks.acquire.archives import reading
from tasks.acquire.collection import COLUMNS
from tasks.acquire.files import Found
from tasks.acquire.web import placeholders, resumable, url_lists
from tasks.acquire.web.addresses import ALLOWING
from tasks.acquire.web.connections import GuardedAdapter
from tasks.acquire.web.downloader import Manners, download
from tasks.acquire.web.fetch import Job
from tasks.acquire.web.limits import Limits
from tasks.running.progress import Advance

WNID = "{wnid}"
ADDRESS = re.compile(r"https?://", re.IGNORECASE)
ARCHIVES = (".tar", ".zip")
STATUSES: dict[DownloadStatus, Status] = {
    DownloadStatus.OK: Status.KEPT,
    DownloadStatus.EMPTY: Status.EMPTY,
    DownloadStatus.NOT_AN_IMAGE: Status.UNDECODABLE,
    DownloadStatus.TRUNCATED: Status.TRUNCATED,
    DownloadStatus.TOO_MANY_PIXELS: Status.TOO_MANY_PIXELS,
    DownloadStatus.TOO_LARGE: Status.TOO_MANY_BYTES,
    DownloadStatus.PLACEHOLDER: Status.PLACEHOLDER,
}


@dataclass(frozen=True)
class Entry:
    """One line of a list: the class it is for, and its place, counted from 0."""

    label: str
    name: str
    url: str


def collect_synsets(
    workspace: Workspace,
    synsets: Mapping[str, str],
    url_list: str,
    *,
    first: int | None = None,
    retry_failed: bool = False,
    revisit: bool = False,
    limits: Limits,
    max_total_bytes: int,
    manners: Manners,
    advance: Advance,
) -> pd.DataFrame:
    """One row per line of the lists (collection.COLUMNS), in list order; `source` is the address.

    `synsets` is class -> WordNet id; `first` takes only so many lines of each class. Only addresses
    that the ledger does not know, whose picture is no longer stored, or that `limits` and `manners`
    allow now and did not when they were refused, are fetched; with `retry_failed` also those whose
    failure may have passed; with `revisit` all that gave a picture, without their bodies if nothing
    has changed. `max_total_bytes` is for each list.
    """
    entries = listed(
        workspace, synsets, url_list,
        first=first, max_total_bytes=max_total_bytes, manners=manners, revisit=revisit,
    )  # fmt: skip
    urls = list(dict.fromkeys(entry.url for entry in entries))
    images = ImageStore(workspace.images)
    with ledgers.opened(workspace) as ledger:
        jobs = jobs_for(
            ledger, images, urls,
            retry_failed=retry_failed, revisit=revisit, limits=limits, manners=manners,
        )  # fmt: skip
        advance(len(urls) - len(jobs))
        if jobs:
            download(
                jobs, ledger, images,
                allowed=limits, manners=manners, advance=advance,
            )  # fmt: skip
        rows = ledger.rows(urls)
        masked = _placeholders(entries, rows)
        ledger.add(masked.values())
    found = {url: _within(row, limits.max_file_bytes) for url, row in (rows | masked).items()}
    return _table(entries, found)


def jobs_for(
    ledger: AnyLedger,
    images: ImageStore,
    urls: list[str],
    *,
    retry_failed: bool,
    revisit: bool,
    limits: Limits,
    manners: Manners,
) -> list[Job]:
    """What has to be sent for these addresses, in their order."""
    known = ledger.rows(urls)
    missing = set(ledger.missing(urls, retry_failed=retry_failed))
    jobs = []
    for url in urls:
        row = known.get(url)
        has_image = row is not None and row.image and images.has(row.image, row.bytes)
        lost = row is not None and row.image and not has_image
        if url in missing or lost or (row is not None and _allowed_now(row, limits, manners)):
            jobs.append(Job.to(url))
        elif revisit and row is not None and row.status == DownloadStatus.OK:
            jobs.append(Job.to(url, row))
    return jobs


def _allowed_now(row: Download, limits: Limits, manners: Manners) -> bool:
    """Whether this was refused only by a parameter that has another value now."""
    if row.status == DownloadStatus.PRIVATE_ADDRESS:
        return manners.allow_private_addresses and ALLOWING in row.reason
    if row.status in (DownloadStatus.ROBOTS, DownloadStatus.NO_AI):
        return not manners.obey_robots
    return row.status == DownloadStatus.TOO_LARGE and row.bytes <= limits.max_file_bytes


def _within(row: Download, max_file_bytes: int) -> Download:
    """The row as it counts where files may have so many bytes: another run may have kept more."""
    if row.status != DownloadStatus.OK or row.bytes <= max_file_bytes:
        return row
    reason = f"{row.bytes:,} bytes, more than {max_file_bytes:,}"
    return replace(row, status=DownloadStatus.TOO_LARGE, reason=reason)


def listed(
    workspace: Workspace,
    synsets: Mapping[str, str],
    url_list: str,
    *,
    first: int | None = None,
    max_total_bytes: int,
    manners: Manners,
    revisit: bool = False,
) -> list[Entry]:
    """The lines of all lists, by synset id and place; lists at addresses are fetched once and kept.

    With `revisit` they are asked for again, on condition that they have changed.
    """
    found = {}
    files = list_files(
        workspace, synsets, url_list,
        max_total_bytes=max_total_bytes, manners=manners, revisit=revisit,
    )  # fmt: skip
    for path, some in files:
        found.update(url_lists.addresses(path, some))
    return [
        Entry(label, f"{wnid}/img{place}", url)
        for label, wnid in sorted(synsets.items(), key=itemgetter(1))
        for place, url in enumerate(found[label][:first])
    ]


def list_files(
    workspace: Workspace,
    synsets: Mapping[str, str],
    url_list: str,
    *,
    max_total_bytes: int,
    manners: Manners,
    revisit: bool,
) -> list[tuple[Path, dict[str, str]]]:
    """Files on this disk, each with the synsets (class -> id) that are to be looked up in it."""

    def local(place: str) -> Path:
        return _local(workspace, place, max_total_bytes, manners, revisit=revisit)

    if WNID not in url_list:
        return [(local(url_list), dict(synsets))]
    return [(local(url_list.replace(WNID, wnid)), {label: wnid}) for label, wnid in synsets.items()]


def is_archive_list(url_list: str) -> bool:
    """Whether `url_list` leads to archives of pictures, one per synset, instead of addresses."""
    path = urlsplit(url_list).path if ADDRESS.match(url_list) else url_list
    return path.lower().endswith(ARCHIVES)


def archive_files(
    workspace: Workspace,
    synsets: Mapping[str, str],
    url_list: str,
    *,
    manners: Manners,
    max_total_bytes: int,
    max_file_bytes: int,
) -> Iterator[Found]:
    """The files of each synset's archive, named `wnid/name in the archive`."""
    paths = list_files(
        workspace, synsets, url_list,
        max_total_bytes=max_total_bytes, manners=manners, revisit=False,
    )  # fmt: skip
    for path, some in paths:
        files = reading.files_of(
            path, max_total_bytes=max_total_bytes, max_file_bytes=max_file_bytes
        )
        for found in files:
            yield replace(found, name=f"{next(iter(some.values()))}/{found.name}")


def web_archive(
    workspace: Workspace,
    url: str,
    *,
    checksum: str,
    max_total_bytes: int,
    manners: Manners,
    revisit: bool = False,
) -> resumable.Fetched:
    """The archive at `url`, whole, at `archive_path(workspace, url)`.

    What another run is fetching is waited for. SourceTooLarge if it has more than
    `max_total_bytes`: it would not unpack to fewer.
    """
    adapter = GuardedAdapter(allow_private=manners.allow_private_addresses, connections_per_host=1)
    with contextlib.closing(adapter), _locked(workspace, url):
        return resumable.download(
            url, archive_path(workspace, url), workspace.unfinished, adapter,
            allowed=resumable.file_limits(max_total_bytes), checksum=checksum, revisit=revisit,
        )  # fmt: skip


def _locked(workspace: Workspace, url: str) -> contextlib.AbstractContextManager[object]:
    """One download of `url` at a time, in all processes of the workspace."""
    return locks.held(workspace, f"download-{digests.of_bytes(url.encode())[:32]}")


def archive_path(workspace: Workspace, url: str) -> Path:
    """Where the file at `url` is kept."""
    name = as_file_name(Path(urlsplit(url).path).name)
    return workspace.downloads / "web" / f"{digests.of_bytes(url.encode())[:16]}-{name}"


def _local(
    workspace: Workspace, place: str, max_total_bytes: int, manners: Manners, *, revisit: bool
) -> Path:
    if not ADDRESS.match(place):
        return Path(place).expanduser()
    try:
        web_archive(
            workspace, place,
            checksum="", max_total_bytes=max_total_bytes, manners=manners, revisit=revisit,
        )  # fmt: skip
    except SourceTooLarge:
        raise
    except SourceError as error:
        raise SourceMissing(
            f"{error}. ImageNet's own lists of addresses are gone from the web. Instead, set "
            "source.url_list to the fall-2011 list as a file (imagenet_fall11_urls.tgz), to a text "
            "or CSV file of your own ({wnid} is filled in), or to ImageNet's archive of each "
            "synset, https://image-net.org/data/winter21_whole/{wnid}.tar"
        ) from error
    return archive_path(workspace, place)


def _placeholders(entries: Iterable[Entry], rows: Mapping[str, Download]) -> dict[str, Download]:
    pictures = [(entry.label, rows[entry.url]) for entry in entries if rows[entry.url].image]
    masks = placeholders.unmasked(pictures)
    return {
        row.url: replace(row, status=DownloadStatus.PLACEHOLDER, reason=masks[row.image])
        for _, row in pictures
        if row.image in masks and row.status == DownloadStatus.OK
    }


def _table(entries: Iterable[Entry], rows: Mapping[str, Download]) -> pd.DataFrame:
    table = pd.DataFrame(
        [_row(entry, rows[entry.url]) for entry in entries], columns=list(COLUMNS[:7])
    )
    return table.reindex(columns=list(COLUMNS), fill_value="")


def _row(entry: Entry, row: Download) -> tuple[str | int, ...]:
    kept = row.status == DownloadStatus.OK
    status = STATUSES.get(row.status, Status.NOT_DOWNLOADED)
    reason = "" if kept else f"{row.status}: {row.reason}"
    image, count = (row.image, row.bytes) if kept else ("", 0)
    return entry.name, entry.label, entry.url, image, count, str(status), reason
