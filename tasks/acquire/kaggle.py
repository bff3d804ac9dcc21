"""Archives from Kaggle, with the user's own credentials."""

import importlib.util
import os
from pathlib import Path

from storage.errors import SourceMissing

CREDENTIALS = Path("~/.kaggle/kaggle.json")


def has_credentials() -> bool:
    """Whether Kaggle's own client would find a user name and key."""
    return bool(
        os.environ.get("KAGGLE_API_TOKEN")
        or (os.environ.get("KAGGLE_USERNAME") and os.environ.get("KAGGLE_KEY"))
        or CREDENTIALS.expanduser().is_file()
    )


def archives_in(folder: Path) -> list[Path]:
    """The zips that Kaggle's client left packed in what it downloaded."""
    return sorted(folder.rglob("*.zip"))


def fetch(handle: str, wanted: Path) -> Path:
    """The folder that kagglehub downloaded `handle` into; SourceMissing says what is lacking."""
    if importlib.util.find_spec("kagglehub") is None or not has_credentials():
        raise SourceMissing(
            f"expected the archive at {wanted}, found none. Either put the zip of "
            f"https://www.kaggle.com/{handle} there (or say where it is with "
            "--set source.archive=PATH), or let Darkroom download it: `pip install kagglehub` and "
            "Kaggle credentials in ~/.kaggle/kaggle.json or KAGGLE_USERNAME and KAGGLE_KEY"
        )
    import kagglehub

    kind, _, name = handle.partition("/")
    download = (
        kagglehub.competition_download if kind == "competitions" else kagglehub.dataset_download
    )
    try:
        return Path(download(name))
    except Exception as error:
        raise SourceMissing(
            f"Kaggle did not give {handle} ({error}): check the name, accept the competition's "
            f"rules on its page, or put the zip at {wanted}"
        ) from error
