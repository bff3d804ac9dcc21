"""Models for other runtimes: read by those alone, and nothing is kept that answers otherwise."""

import importlib.util
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from storage.errors import ExportDiffers, MissingLibrary, ParameterError
from tasks.export import exporting
from tasks.export.formats import FORMATS
from tests.tasks.classify.conftest import CLASSES, coloured


@pytest.fixture(params=FORMATS)
def to(request):
    missing = [
        name for name in FORMATS[request.param].packages if importlib.util.find_spec(name) is None
    ]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    return request.param


@pytest.fixture
def exported(model_folder, workspace, tmp_path, to):
    target = tmp_path / "a folder ü"
    return target, exporting.export(model_folder / "model.keras", to, target)


def test_what_is_written_agrees_and_says_how_to_use_it(exported, to):
    target, agreed = exported
    assert (agreed.of, agreed.pictures, agreed.equal) == ("made pictures", 20, 20)
    assert agreed.largest < 1e-4
    assert (target / FORMATS[to].file).exists()
    assert json.loads((target / "classes.json").read_text()) == list(CLASSES)
    assert json.loads((target / "parity.json").read_text())["equal"] == 20
    readme = (target / "README.md").read_text()
    assert FORMATS[to].lines in readme
    assert "müller" in readme


OTHERS = {
    "onnx": {"tensorflow", "keras", "openvino", "ai_edge_litert"},
    "litert": {"tensorflow", "keras", "openvino", "onnxruntime"},
    "saved_model": {"openvino", "onnxruntime", "ai_edge_litert"},
    "openvino": {"tensorflow", "keras", "onnxruntime", "ai_edge_litert"},
}


def test_the_readmes_lines_work_in_a_process_with_that_runtime_alone(exported, to):
    target, _ = exported
    for name in CLASSES:
        (target / "picture.jpg").write_bytes(coloured(name))
        script = FORMATS[to].lines + f"\nimport sys\nassert not {OTHERS[to]!r} & set(sys.modules)"
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=target, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        line = done.stdout.strip().splitlines()[-1]
        found = np.array(json.loads(" ".join(line.replace("[", " ").replace("]", " ").split())
                                    .join("[]").replace(" ", ",")))  # fmt: skip
        assert CLASSES[found.argmax()] == name


def test_a_file_that_answers_otherwise_is_not_kept(model_folder, workspace, tmp_path, monkeypatch):
    wrong = FORMATS["openvino"]._replace(
        opened=lambda _: lambda pictures: np.full((len(pictures), 3), 1 / 3)
    )
    monkeypatch.setitem(exporting.FORMATS, "openvino", wrong)
    with pytest.raises(ExportDiffers, match="it is not to be used"):
        exporting.export(model_folder / "model.keras", "openvino", tmp_path / "out")
    assert list(tmp_path.glob("out*")) == []


def test_a_folder_that_is_there_is_left_alone(model_folder, workspace, tmp_path):
    (tmp_path / "mine").write_text("keep")
    with pytest.raises(ParameterError, match="is there already"):
        exporting.export(model_folder / "model.keras", "saved_model", tmp_path)
    assert (tmp_path / "mine").read_text() == "keep"


def test_a_missing_runtime_names_its_extra(model_folder, workspace, tmp_path, monkeypatch):
    form = FORMATS["onnx"]._replace(packages=("no_such_package",))
    monkeypatch.setitem(exporting.FORMATS, "onnx", form)
    with pytest.raises(MissingLibrary, match=r"pip install 'darkroom\[onnx\]'"):
        exporting.export(model_folder / "model.keras", "onnx", tmp_path / "out")


def test_a_model_that_asks_for_code_is_refused(model_folder, workspace, tmp_path):
    import keras

    hostile = shutil.copytree(model_folder, tmp_path / "hostile")
    network = keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x)])
    network.save(hostile / "model.keras")
    with pytest.raises(ParameterError, match="could run anything"):
        exporting.export(hostile / "model.keras", "openvino", tmp_path / "out")


@pytest.mark.parametrize(("equal", "largest", "holds"), [
    (200, 0.019, True), (199, 0.001, True), (198, 0.001, False), (200, 0.02, False),
])  # fmt: skip
def test_how_close_is_close_enough(equal, largest, holds):
    assert exporting.Agreement("test pictures", 200, equal, largest).holds == holds
