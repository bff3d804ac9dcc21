"""A server while 64 clients upload as slowly as they can: what eight quick ones notice of it.

The slow ones send a byte every half a second, and come back when they are cut off. The model, the
picture and the quick clients are those of the benchmark `serving`. About two minutes.
"""

import contextlib
import json
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measuring import run, write
from benchmarks.speed.serving import TRAIN, load, photograph, said, served_process

SLOW, QUICK = 64, 8
ROUNDS, REQUESTS = 3, 30
HEAD = (
    b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n"
    b"Content-Length: 9000000\r\n\r\n"
)


def drip(port: int, stop: threading.Event) -> None:
    """Upload slowly, again and again."""
    while not stop.is_set():
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", port), timeout=5) as line,
        ):
            line.sendall(HEAD)
            while not stop.wait(0.5):
                line.sendall(b"x")


@contextlib.contextmanager
def slow_clients(port: int) -> Iterator[None]:
    """As many as there are, while the block lasts."""
    stop = threading.Event()
    threads = [threading.Thread(target=drip, args=(port, stop)) for _ in range(SLOW)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(1)
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def memory(process: int) -> float:
    """What a process holds, in MB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def main() -> None:
    """Quick clients alone, then beside the slow ones, in turn."""
    picture = photograph()
    with tempfile.TemporaryDirectory() as folder:
        done = run(TRAIN, DARKROOM_HOME=str(Path(folder) / "workspace"))
        model = json.loads(done.output.strip().splitlines()[-1])["model"]
        with served_process(model) as (process, port):
            load(port, picture, QUICK, REQUESTS)
            held = [memory(process)]
            alone, beside = [], []
            for _ in range(ROUNDS):
                alone.append(load(port, picture, QUICK, REQUESTS))
                with slow_clients(port):
                    beside.append(load(port, picture, QUICK, REQUESTS))
                    held.append(memory(process))
    first, second = said(alone), said(beside)
    write(
        "under_fire",
        {
            "slow_clients": SLOW,
            "quick_clients": QUICK,
            "alone": first,
            "beside_slow_ones": second,
            "times_as_long": round(second["p50_milliseconds"] / first["p50_milliseconds"], 2),
            "megabytes": [round(one) for one in held],
        },
    )


if __name__ == "__main__":
    main()
