"""The source kind `synsets`: pictures at the addresses that lists give, or synsets' archives."""

from pathlib import Path

from storage import digests
from storage.fingerprints import Fingerprints
from storage.workspace import Workspace
from tasks.acquire.collection import Collected, collect_labelled
from tasks.acquire.gathering import Gathering
from tasks.acquire.parameters import Synsets
from tasks.acquire.web import synset_rows
from tasks.acquire.web.manners import limits_of, manners_of


def fetch(workspace: Workspace, source: Synsets, *, revisit: bool) -> None:
    """The lists of addresses, or the synsets' archives."""
    synset_rows.list_files(
        workspace, source.synsets, source.url_list,
        max_total_bytes=source.max_total_bytes, manners=manners_of(source), revisit=revisit,
    )  # fmt: skip


def fingerprint(workspace: Workspace, source: Synsets) -> str:
    """Of the lists on this disk; of their addresses before that."""
    memo = Fingerprints(workspace.fingerprints)
    wnids = source.synsets.values()
    places = {source.url_list.replace(synset_rows.WNID, wnid) for wnid in wnids}
    paths = [
        synset_rows.archive_path(workspace, place)
        if synset_rows.ADDRESS.match(place)
        else Path(place).expanduser()
        for place in sorted(places)
    ]
    if not all(path.is_file() for path in paths):
        return digests.of_value(sorted(places))
    return digests.of_value(memo.of_files(paths))


def rows(source: Synsets, gathering: Gathering) -> Collected:
    """A row per address of the lists, or per file of the synsets' archives."""
    if synset_rows.is_archive_list(source.url_list):
        return _of_archives(source, gathering)
    table = synset_rows.collect_synsets(
        gathering.workspace,
        source.synsets,
        source.url_list,
        first=source.first,
        max_total_bytes=source.max_total_bytes,
        retry_failed=gathering.again != "no",
        revisit=gathering.again == "all",
        limits=limits_of(source),
        manners=manners_of(source),
        advance=gathering.advance,
    )
    return Collected(source.url_list, table)


def _of_archives(source: Synsets, gathering: Gathering) -> Collected:
    classes = {wnid: label for label, wnid in source.synsets.items()}
    files = synset_rows.archive_files(
        gathering.workspace,
        source.synsets,
        source.url_list,
        manners=manners_of(source),
        max_total_bytes=source.max_total_bytes,
        max_file_bytes=source.max_file_bytes,
    )
    return collect_labelled(
        files, lambda name: classes.get(name.partition("/")[0], ""), source.url_list, gathering
    )
