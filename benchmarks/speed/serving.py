"""The server under 32 clients at once, beside one client: pictures per second, and latency.

Trains a VGG16 head on a few digits, serves it (its pictures are resized to 180 x 180) and sends
scikit-learn's photograph of 640 x 427 pixels. Both kinds of load take turns on one server. What
batches gain depends on the cores that one picture leaves idle. About a minute.
"""

import http.client
import io
import json
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from benchmarks.measuring import PROJECT, run, write

CLIENTS = 32
ROUNDS = 3
ALONE = 30  # requests of the single client, in each round
TOGETHER = 6  # requests of each of the many
TRAIN = [
    *(sys.executable, "-m", "flows", "run", "digits", "--json"),
    *("--set", "model.image_size=180", "--set", "training.epochs=2", "--until", "train"),
    *("--set", "split={rule: in_order, counts: {train: 10, validation: 5, test: 5}}"),
]
SERVE = "import sys; from flows.serve import serve; serve(model=sys.argv[1], port=0)"


def photograph() -> bytes:
    """A JPEG such as people send."""
    from PIL import Image
    from sklearn.datasets import load_sample_image

    buffer = io.BytesIO()
    Image.fromarray(load_sample_image("china.jpg")).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


@contextmanager
def served_process(model: str) -> Iterator[tuple[int, int]]:
    """The process and the port of a running server."""
    child = subprocess.Popen(
        [sys.executable, "-c", SERVE, model], cwd=PROJECT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with child:
        try:
            assert child.stdout is not None
            found = re.search(r":(\d+)/", child.stdout.readline())
            assert found is not None
            # The rest is one line per request, for nobody.
            threading.Thread(target=child.stdout.read, daemon=True).start()
            yield child.pid, int(found[1])
        finally:
            child.kill()


def client(port: int, picture: bytes, requests: int) -> list[float]:
    """Seconds that each request took on one connection, one after the other."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    seconds = []
    for _ in range(requests):
        started = time.perf_counter()
        line.request("POST", "/predict", picture, {"Content-Type": "image/jpeg"})
        answer = line.getresponse()
        said = json.loads(answer.read())
        seconds.append(time.perf_counter() - started)
        assert answer.status == 200, said
    line.close()
    return seconds


def load(port: int, picture: bytes, clients: int, requests: int) -> tuple[float, list[float]]:
    """(pictures per second, seconds of each request) of so many clients at once."""
    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        each = list(pool.map(lambda _: client(port, picture, requests), range(clients)))
    return clients * requests / (time.perf_counter() - started), list(chain(*each))


def said(rounds: list[tuple[float, list[float]]]) -> dict[str, float]:
    """The median rate, and the median and the 95th percentile of the requests' seconds."""
    hundredths = statistics.quantiles(list(chain(*(seconds for _, seconds in rounds))), n=100)
    return {
        "pictures_per_second": round(statistics.median(rate for rate, _ in rounds), 1),
        "p50_milliseconds": round(1000 * hundredths[49], 1),
        "p95_milliseconds": round(1000 * hundredths[94], 1),
    }


def main() -> None:
    """Train, serve, measure in turn."""
    picture = photograph()
    with tempfile.TemporaryDirectory() as folder:
        done = run(TRAIN, DARKROOM_HOME=str(Path(folder) / "workspace"))
        model = json.loads(done.output.strip().splitlines()[-1])["model"]
        with served_process(model) as (_, port):
            load(port, picture, CLIENTS, 1)
            turns = [
                (load(port, picture, 1, ALONE), load(port, picture, CLIENTS, TOGETHER))
                for _ in range(ROUNDS)
            ]
    alone, together = said([one for one, _ in turns]), said([many for _, many in turns])
    rate = together["pictures_per_second"] / alone["pictures_per_second"]
    write(
        "serving",
        {
            "clients": CLIENTS,
            "one_at_a_time": alone,
            "clients_at_once": together,
            "times_as_many": round(rate, 2),
        },
    )


if __name__ == "__main__":
    main()
