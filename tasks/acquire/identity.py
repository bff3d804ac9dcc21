"""What a source holds right now, as one digest, without reading again what has not been touched."""

from pathlib import Path

from storage import digests
from storage.fingerprints import Fingerprints
from storage.workspace import Workspace
from tasks.acquire.digits import write_zip
from tasks.acquire.folders import is_plain, paths_of
from tasks.acquire.sources import Archive, Digits, Folders


def digits_zip(workspace: Workspace) -> Path:
    """The zip of the digits in this workspace, written if it is not there."""
    return write_zip(workspace.downloads / "digits.zip")


def fingerprint(workspace: Workspace, source: Archive | Folders | Digits) -> str:
    """Digest of the source's content; for an archive that Kaggle would give, of its name."""
    memo = Fingerprints(workspace.fingerprints)
    if isinstance(source, Digits):
        return memo.of_file(digits_zip(workspace))
    if isinstance(source, Folders):
        return _of_folder(memo, source.folder)
    if not source.archive.exists() and source.kaggle:
        return digests.of_value(source.kaggle)
    return _of_archive(memo, source)


def _of_folder(memo: Fingerprints, folder: Path) -> str:
    paths = paths_of(folder)
    files = [path for path in paths if is_plain(path)]
    known = dict(zip(files, memo.of_files(files), strict=True))
    return digests.of_value(
        [(path.relative_to(folder).as_posix(), known.get(path, "")) for path in paths]
    )


def _of_archive(memo: Fingerprints, source: Archive) -> str:
    paths = [source.archive]
    if source.label_csv and Path(source.label_csv).is_file():
        paths.append(Path(source.label_csv))
    if not source.archive.is_file():
        return digests.of_value(str(source.archive))
    return digests.of_value(memo.of_files(paths))
