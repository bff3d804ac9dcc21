"""A system without libGL: a message that names the package, not an ImportError."""

import importlib
import sys

import pytest

from storage.errors import MissingLibrary


@pytest.fixture
def broken(monkeypatch, tmp_path):
    """OpenCV fails to start with these words, in a process that has not met it yet."""

    def fail(words):
        (tmp_path / "cv2.py").write_text(f"raise ImportError({words!r})")
        monkeypatch.syspath_prepend(str(tmp_path))
        for name in ("cv2", "tasks.pictures.opencv"):
            monkeypatch.delitem(sys.modules, name, raising=False)

    return fail


def test_a_missing_libgl_is_named_with_its_package(broken):
    broken("libGL.so.1: cannot open shared object file: No such file or directory")
    with pytest.raises(MissingLibrary, match="apt-get install libgl1"):
        importlib.import_module("tasks.pictures.opencv")


def test_other_import_errors_are_shown_as_they_are(broken):
    broken("something else")
    with pytest.raises(ImportError, match="something else"):
        importlib.import_module("tasks.pictures.opencv")
