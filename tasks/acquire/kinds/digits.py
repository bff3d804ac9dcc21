"""The source kind `digits`: scikit-learn's handwritten digits, as a zip shaped like Kaggle's."""

import io
import zipfile
from importlib import metadata
from pathlib import Path

import numpy as np

from storage import atomic, digests
from storage.workspace import Workspace
from tasks.acquire.collection import Collected, collect
from tasks.acquire.gathering import Gathering
from tasks.acquire.kinds import archive
from tasks.acquire.parameters import Archive, Digits
from tasks.pictures.opencv import cv2

FIXED_DATE = (2013, 9, 20, 10, 0, 0)
GREYS = 16


def fetch(workspace: Workspace, source: Digits, *, revisit: bool) -> None:
    """Nothing: the digits come with scikit-learn."""


def fingerprint(workspace: Workspace, source: Digits) -> str:
    """Of the package that they come with: nothing is written to ask for it."""
    return digests.of_value([source.kind, metadata.version("scikit-learn")])


def rows(source: Digits, gathering: Gathering) -> Collected:
    """Every file of the zip, labelled by its name."""
    as_archive = Archive(archive=_zip_in(gathering.workspace), label_from="name")
    files = archive.files_in(as_archive.archive, as_archive)
    return collect(files, as_archive, "digits", gathering)


def _zip_in(workspace: Workspace) -> Path:
    return write_zip(workspace.downloads / "digits.zip")


def write_zip(target: Path) -> Path:
    """The zip of 1,797 8x8 grey PNG files, the same bytes every time; kept if it is there."""
    if target.exists():
        return target
    inner = _zip_of(_pictures())
    outer = _zip_of({"train.zip": inner, "sampleSubmission.csv": b"id,label\n"})
    return atomic.write_bytes(target, outer)


def _pictures() -> dict[str, bytes]:
    from sklearn.datasets import load_digits

    digits = load_digits()
    grey = np.rint(digits.images * (255 / GREYS)).astype(np.uint8)
    pictures = {}
    for number, (pixels, label) in enumerate(zip(grey, digits.target, strict=True)):
        done, png = cv2.imencode(".png", pixels)
        assert done, label
        pictures[f"digits/{label}.{number}.png"] = png.tobytes()
    return pictures


def _zip_of(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, FIXED_DATE), data)
    return buffer.getvalue()
