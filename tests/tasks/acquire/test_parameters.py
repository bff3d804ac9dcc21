"""Parameters of sources validate themselves."""

import pytest
from pydantic import TypeAdapter, ValidationError

from tasks.acquire.parameters import Archive, Digits, Folders, Source, Synsets
from tasks.pictures.parameters import MAX_PIXELS

SOURCE = TypeAdapter(Source)


def test_the_kind_chooses_the_source():
    assert isinstance(SOURCE.validate_python({"kind": "archive", "archive": "a.zip"}), Archive)
    assert isinstance(SOURCE.validate_python({"kind": "folders", "folder": "a"}), Folders)
    assert isinstance(SOURCE.validate_python({"kind": "digits"}), Digits)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"kind": "nonsense"}, "nonsense"),
        ({"kind": "archive"}, "archive"),
        ({"kind": "digits", "folder": "a"}, "folder"),
        ({"kind": "archive", "archive": "a", "max_total_bytes": 0}, "max_total_bytes"),
        ({"kind": "archive", "archive": "a", "max_file_bytes": -1}, "max_file_bytes"),
        ({"kind": "archive", "archive": "a", "label_from": "air"}, "label_from"),
        ({"kind": "archive", "archive": "a", "label_pattern": "("}, "not a regular expression"),
        ({"kind": "archive", "archive": "a", "label_pattern": "cat"}, "a group named 'label'"),
    ],
)
def test_wrong_parameters_are_named(wrong, words):
    with pytest.raises(ValidationError, match=words):
        SOURCE.validate_python(wrong)


def test_a_source_cannot_be_changed():
    with pytest.raises(ValidationError):
        Digits().max_file_bytes = 1


def test_the_limit_that_no_parameter_moves_is_told():
    assert f"more than {MAX_PIXELS:,} pixels" in Synsets.__doc__
