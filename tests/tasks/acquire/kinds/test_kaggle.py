"""Kaggle: without credentials, an error that says what to do; nothing is fetched here."""

import sys

import pytest

from storage.errors import SourceMissing
from tasks.acquire import kaggle, kinds
from tasks.acquire.gathering import Gathering
from tasks.acquire.parameters import Archive
from tests.pictures import picture
from tests.tasks.acquire.conftest import zip_bytes

TABLE = b"id,breed\na1,boxer\nb2,collie\n"
PICTURES = {"train/a1.jpg": picture(1), "train/b2.jpg": picture(2)}


@pytest.fixture(autouse=True)
def nobody(monkeypatch, tmp_path):
    """Nobody is logged in."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("KAGGLE_API_TOKEN", "KAGGLE_USERNAME", "KAGGLE_KEY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_without_credentials_the_error_says_where_to_put_the_zip(tmp_path):
    wanted = tmp_path / "dogs-vs-cats.zip"
    with pytest.raises(SourceMissing) as error:
        kaggle.fetch("competitions/dogs-vs-cats", wanted)
    message = str(error.value)
    assert str(wanted) in message
    assert "https://www.kaggle.com/competitions/dogs-vs-cats" in message
    assert "source.archive=PATH" in message
    assert "KAGGLE_USERNAME" in message


def test_credentials_are_looked_for_where_kaggle_does(monkeypatch, nobody):
    assert not kaggle.has_credentials()
    monkeypatch.setenv("KAGGLE_USERNAME", "me")
    assert not kaggle.has_credentials()
    monkeypatch.setenv("KAGGLE_KEY", "x")
    assert kaggle.has_credentials()


def test_a_token_or_a_file_will_do(monkeypatch, nobody):
    (nobody / ".kaggle").mkdir()
    (nobody / ".kaggle" / "kaggle.json").write_text("{}")
    assert kaggle.has_credentials()
    (nobody / ".kaggle" / "kaggle.json").unlink()
    monkeypatch.setenv("KAGGLE_API_TOKEN", "x")
    assert kaggle.has_credentials()


@pytest.fixture
def breeds(monkeypatch, tmp_path, workspace):
    """Name -> label of what is gathered from a download that holds these files."""
    # Stands for Kaggle's server and its client, which leaves a folder behind.
    (tmp_path / "stand-in").mkdir()
    (tmp_path / "stand-in" / "kagglehub.py").write_text(
        "import pathlib\nFOLDER = pathlib.Path(__file__).parent.parent / 'downloaded'\n"
        "def competition_download(name):\n    return str(FOLDER / name)\n"
    )
    monkeypatch.syspath_prepend(tmp_path / "stand-in")
    monkeypatch.delitem(sys.modules, "kagglehub", raising=False)
    monkeypatch.setenv("KAGGLE_API_TOKEN", "x")

    def gather(files, **options):
        for name, data in files.items():
            path = tmp_path / "downloaded" / "dog-breeds" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        source = Archive(
            archive=tmp_path / "none.zip", kaggle="competitions/dog-breeds", label_from="csv",
            label_csv="labels.csv", **options,
        )  # fmt: skip
        table = kinds.rows(source, Gathering(workspace, "no", lambda _: None)).table
        kept = table[table["status"] == "kept"]
        return dict(zip(kept["name"], kept["label"], strict=True))

    yield gather
    sys.modules.pop("kagglehub", None)


@pytest.mark.parametrize(
    "files",
    [
        PICTURES | {"labels.csv": TABLE},
        PICTURES | {"labels.csv.zip": zip_bytes({"labels.csv": TABLE})},
        {"all.zip": zip_bytes(PICTURES | {"labels.csv": TABLE})},
        {"all.zip": zip_bytes({"p.zip": zip_bytes(PICTURES), "labels.csv": TABLE})},
    ],
    ids=["unpacked", "packed table", "packed", "packed twice"],
)
def test_the_table_of_labels_is_found_in_what_was_downloaded(breeds, files):
    assert breeds(files) == {"train/a1.jpg": "boxer", "train/b2.jpg": "collie"}


def test_a_download_without_the_table_says_where_it_was_looked_for(breeds, tmp_path):
    with pytest.raises(SourceMissing, match=r"labels\.csv, on disk or in the source, found none"):
        breeds(PICTURES)


def test_a_table_that_leads_out_of_the_download_is_not_read(breeds, tmp_path):
    (tmp_path / "secret.csv").write_bytes(TABLE)
    folder = tmp_path / "downloaded" / "dog-breeds"
    folder.mkdir(parents=True)
    (folder / "labels.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(
        SourceMissing, match=r"a table at labels.csv, on disk or in the source, found none"
    ):
        breeds(PICTURES)
