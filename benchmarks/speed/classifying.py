"""Using a Lite0 model: one picture from the command line, the server's start, 16 clients.

Beside `python -c "import cv2, numpy, openvino"`, and beside the same model without its OpenVINO
form, which TensorFlow computes with. Trains a head on a few digits first. Three minutes.
"""

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable
from pathlib import Path

from benchmarks.measuring import PROJECT, run, write
from benchmarks.speed.serving import load, photograph, said, served_process
from tasks.serve.listening import listening_socket

ROUNDS = 5
CLIENTS, REQUESTS = 16, 10
TRAIN = [
    *(sys.executable, "-m", "flows", "run", "digits", "--json", "--until", "train"),
    *("--set", "model.backbone=EfficientNetLite0", "--set", "model.image_size=224"),
    *("--set", "training.epochs=2", "--set", "model.head.pooling=average"),
    *("--set", "split={rule: in_order, counts: {train: 10, validation: 5, test: 5}}"),
]
IMPORT = [sys.executable, "-c", "import cv2, numpy, openvino"]


def ready_seconds(model: str) -> float:
    """From the command to the first /health that says ready."""
    with listening_socket("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "flows", "serve", model, "--port", str(port)]
    started = time.perf_counter()
    with subprocess.Popen(
        words, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as child:
        try:
            while not answers(port):
                assert child.poll() is None
                time.sleep(0.01)
            return time.perf_counter() - started
        finally:
            child.kill()


def answers(port: int) -> bool:
    """Whether the server there is ready."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return bool(json.load(answer)["ready"])
    except OSError:
        return False


def main() -> None:
    """Train, then take turns."""
    with tempfile.TemporaryDirectory() as folder:
        done = run(TRAIN, DARKROOM_HOME=str(Path(folder) / "workspace"))
        model = Path(json.loads(done.output.strip().splitlines()[-1])["model"])
        without = Path(shutil.copytree(model.parent, Path(folder) / "without")) / model.name
        without.with_name("model.xml").unlink()
        picture = Path(folder) / "picture.jpg"
        picture.write_bytes(photograph())
        classify = [sys.executable, "-m", "flows", "classify"]
        rounds = [
            (
                run(IMPORT).seconds,
                run([*classify, str(model), str(picture)]),
                ready_seconds(str(model)),
            )
            for _ in range(ROUNDS)
        ]
        slow = run([*classify, str(without), str(picture)])
        clients = {}
        for name, which in (("openvino", model), ("tensorflow", without)):
            with served_process(str(which)) as (_, port):
                load(port, picture.read_bytes(), CLIENTS, 2)
                turns = [load(port, picture.read_bytes(), CLIENTS, REQUESTS) for _ in range(3)]
                clients[name] = said(turns)
    write(
        "classifying",
        {
            "import_seconds": middle(one for one, _, _ in rounds),
            "classify_seconds": middle(one.seconds for _, one, _ in rounds),
            "classify_times_the_import": middle(one.seconds / base for base, one, _ in rounds),
            "classify_megabytes": middle(one.peak_megabytes for _, one, _ in rounds),
            "classify_in_tensorflow": [round(slow.seconds, 2), round(slow.peak_megabytes)],
            "serve_ready_times_the_import": middle(ready / base for base, _, ready in rounds),
            "clients": CLIENTS,
            **clients,
            "times_tensorflow": round(
                clients["openvino"]["pictures_per_second"]
                / clients["tensorflow"]["pictures_per_second"],
                2,
            ),
        },
    )


def middle(values: Iterable[float]) -> float:
    """Their median."""
    return round(statistics.median(values), 2)


if __name__ == "__main__":
    main()
