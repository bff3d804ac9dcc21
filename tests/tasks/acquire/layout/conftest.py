"""Small data sets in the layouts that people have, and what `acquire` makes of them."""

import csv
import io
from collections import Counter
from pathlib import Path

import pytest

from tasks.acquire import kinds
from tasks.acquire.gathering import Gathering
from tasks.acquire.parameters import Archive, Folders
from tasks.running.progress import silent
from tests.tasks.acquire.conftest import tar_bytes, zip_bytes

PNG = b"\x89PNG\r\n\x1a\n"


def picture(number):
    """Bytes that begin as a PNG; nothing here decodes them."""
    return PNG + f"{number}".encode()


def pictures(names):
    """A file of its own for each name."""
    return {name: picture(number) for number, name in enumerate(names)}


def class_folders(classes, number=4, before="", suffix=".jpg"):
    """`number` pictures in a folder for each class."""
    return pictures(f"{before}{label}/{i}{suffix}" for label in classes for i in range(number))


def csv_of(rows, delimiter=",", encoding="utf-8"):
    """The bytes of a table."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return text.getvalue().encode(encoding)


def labels_of(table):
    """How many usable pictures there are of each class and split."""
    kept = table[table["status"] == "kept"]
    return dict(Counter(zip(kept["label"], kept["split"], strict=True)))


def by_name(table):
    """Name -> label of the usable pictures."""
    kept = table[table["status"] == "kept"]
    return dict(zip(kept["name"], kept["label"], strict=True))


def reasons_of(table):
    """Name -> status and reason of the others."""
    rest = table[table["status"] != "kept"]
    said = zip(rest["status"], rest["reason"], strict=True)
    return dict(zip(rest["name"], map(tuple, said), strict=True))


def remarks(collected):
    """All that is said of a source, as one text."""
    return " | ".join(collected.remarks)


@pytest.fixture(params=["folder", "zip", "tar"])
def container(request, tmp_path):
    """A function from files to a source that holds them, in each kind of container."""
    return lambda files, **options: packed(request.param, tmp_path, files, **options)


def packed(kind, tmp_path, files, **options):
    """A source of this kind that holds the files."""
    if kind == "folder":
        return Folders(folder=written(tmp_path / "set", files), **options)
    path = tmp_path / f"set.{kind}"
    path.write_bytes(zip_bytes(files) if kind == "zip" else tar_bytes(files))
    return Archive(archive=path, **options)


def written(folder: Path, files) -> Path:
    """The files below `folder`."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


@pytest.fixture
def taken(workspace):
    """What `acquire` collects from a source."""

    def take(source, lists=None):
        return kinds.rows(source, Gathering(workspace, "no", silent, lists or {}))

    return take
