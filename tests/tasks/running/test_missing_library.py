"""A system without libGL: a message that names the package, not an ImportError."""

import sys

import pytest

from storage.errors import MissingLibrary
from tasks.pictures.decoding import opencv


def test_a_missing_libgl_is_named_with_its_package(monkeypatch, tmp_path):
    (tmp_path / "cv2.py").write_text(
        "raise ImportError('libGL.so.1: cannot open shared object file: No such file or directory')"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "cv2", raising=False)
    with pytest.raises(MissingLibrary, match="apt-get install libgl1"):
        opencv()


def test_other_import_errors_are_shown_as_they_are(monkeypatch, tmp_path):
    (tmp_path / "cv2.py").write_text("raise ImportError('something else')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "cv2", raising=False)
    with pytest.raises(ImportError, match="something else"):
        opencv()
