"""What a source holds right now, as one digest, without reading again what has not been touched.

Nothing is fetched here: `darkroom explain` asks as well. What is not on this disk yet counts by its
address.
"""

from pathlib import Path
from typing import Any

from storage import digests, folders
from storage.fingerprints import Fingerprints
from storage.workspace import Workspace
from tasks.acquire.digits import write_zip
from tasks.acquire.folders import is_plain, paths_of
from tasks.acquire.parameters import MANNERS, Archive, Digits, Folders, Synsets, WebArchive
from tasks.acquire.web.synset_rows import ADDRESS, WNID, archive_path


def digits_zip(workspace: Workspace) -> Path:
    """The zip of the digits in this workspace, written if it is not there."""
    return write_zip(workspace.downloads / "digits.zip")


def as_archive(workspace: Workspace, source: WebArchive) -> Archive:
    """An archive at an address as the file that it is, or will be, on this disk."""
    shared = source.model_dump(include=set(Archive.model_fields) - {"kind"})
    return Archive(archive=archive_path(workspace, source.url), **shared)


def fingerprint(workspace: Workspace, source: Any) -> str:
    """Digest of the source's content; of its address where it is still to be fetched."""
    memo = Fingerprints(workspace.fingerprints)
    if isinstance(source, Digits):
        return memo.of_file(digits_zip(workspace))
    if isinstance(source, Folders):
        return _of_folder(memo, source.folder)
    if isinstance(source, Synsets):
        return _of_lists(workspace, memo, source)
    if isinstance(source, WebArchive):
        return _of_archive(memo, as_archive(workspace, source))
    return _of_archive(memo, source)


def _of_folder(memo: Fingerprints, folder: Path) -> str:
    paths = paths_of(folder)
    files = [path for path in paths if is_plain(path)]
    known = dict(zip(files, memo.of_files(files), strict=True))
    return digests.of_value(
        [(path.relative_to(folder).as_posix(), known.get(path, "")) for path in paths]
    )


def _of_archive(memo: Fingerprints, source: Archive) -> str:
    tables = [Path(source.label_csv)] if source.label_csv else []
    tables = [path for path in tables if path.is_file()]
    if source.archive.is_file():
        return digests.of_value(memo.of_files([source.archive, *tables]))
    return digests.of_value([source.kaggle or str(source.archive), *memo.of_files(tables)])


def _of_lists(workspace: Workspace, memo: Fingerprints, source: Synsets) -> str:
    places = {source.url_list.replace(WNID, wnid) for wnid in source.synsets.values()}
    paths = [
        archive_path(workspace, place) if ADDRESS.match(place) else Path(place).expanduser()
        for place in sorted(places)
    ]
    if not all(path.is_file() for path in paths):
        return digests.of_value(sorted(places))
    return digests.of_value(memo.of_files(paths))


def visit_file(workspace: Workspace, source: Synsets) -> Path:
    """Where it is written how often the addresses of these synsets were visited."""
    name = digests.of_value(source.model_dump(mode="json", exclude=set(MANNERS)))[:32]
    return workspace.downloads / "visits" / f"{name}.json"


def visits(workspace: Workspace, source: Any) -> int:
    """How often a refresh, or a retry, has gone through a synset source's addresses again."""
    if not isinstance(source, Synsets):
        return 0
    path = visit_file(workspace, source)
    return int(folders.read_json(path)["visits"]) if path.exists() else 0
