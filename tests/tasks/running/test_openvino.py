"""The door to OpenVINO."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from storage.errors import MissingLibrary
from tasks.running import openvino
from tasks.running.tensorflow import load_keras
from tests.project import PROJECT

LOADED = """
import sys
from tasks.running.openvino import load_openvino
core = load_openvino().Core()
found = [name for name, it in sys.modules.items() if it and "openvino_telemetry" in name]
print(found, "CPU" in core.available_devices)
"""


def test_it_reports_to_nobody_that_it_was_imported():
    words = [sys.executable, "-c", LOADED]
    done = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] True"


def test_a_layer_that_it_does_not_know_is_a_reason_for_tensorflow(monkeypatch):
    def unknown(_path):
        raise RuntimeError("No conversion rule for Bessel\nat 0x00")

    monkeypatch.setattr(openvino, "core", lambda: SimpleNamespace(read_model=unknown))
    keras = load_keras()
    given = keras.Input((4, 4, 3))
    model = keras.Model(given, keras.layers.Flatten()(given), name="strange")
    with pytest.raises(
        MissingLibrary, match=r"read the network strange \(No conversion rule for B"
    ):
        openvino.of_keras(model, (1, 4, 4, 3))
