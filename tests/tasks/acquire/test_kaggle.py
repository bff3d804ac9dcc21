"""Kaggle: without credentials, an error that says what to do; nothing is fetched here."""

import pytest

from storage.errors import SourceMissing
from tasks.acquire import kaggle


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
