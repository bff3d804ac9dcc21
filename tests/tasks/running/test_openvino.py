"""The door to OpenVINO."""

import subprocess
import sys

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
