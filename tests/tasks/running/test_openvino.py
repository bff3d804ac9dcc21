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


FIRST_USE = """
import sys, threading
import numpy as np
from tasks.running.openvino import load_openvino
openvino = load_openvino()
sys.setswitchinterval(1e-6)
start = threading.Barrier(16)
def use():
    start.wait()
    openvino.Type.f32.to_dtype()
    openvino.Type(np.float32)
threads = [threading.Thread(target=use) for _ in range(16)]
for one in threads: one.start()
for one in threads: one.join()
"""


def test_threads_that_begin_at_once_do_not_wait_for_each_other_for_ever():
    # Without what `load_openvino` does first, 14 of 15 such processes stood still.
    for _ in range(3):
        subprocess.run([sys.executable, "-c", FIRST_USE], cwd=PROJECT, timeout=60, check=True)
