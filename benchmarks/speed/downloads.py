"""3,000 addresses on a local server with 50 ms latency, a quarter of them dead: beside img2dataset.

`python -m benchmarks downloads` makes a venv for img2dataset 1.47 in build/benchmarks (or in
$BENCHMARK_CACHE), runs both in turn on the same server, each as a process from start to end, and
compares the medians. About two minutes, most of it the venv.

img2dataset runs as it was fastest in trials: all cores, 64 threads each, shards of 500, no
resizing, no second encoding, one attempt. Darkroom decodes, hashes, stores and records pictures.
"""

import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.measuring import PROJECT, write

CACHE = Path(os.environ.get("BENCHMARK_CACHE") or PROJECT / "build" / "benchmarks")
PEER = "img2dataset==1.47"
ADDRESSES = 3000
THREADS = 64
LATENCY_SECONDS = 0.05
PICTURE_BYTES = 22_000
RUNS = 3
GOAL = 1.5

# The server speaks just enough HTTP to cost little beside what is measured.
MISSING = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\ngone\n"
FOUND = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
START_OF_IMAGE = 2

OURS = """
import sys
from pathlib import Path
from storage.statuses import DownloadStatus
from storage.images import ImageStore
from storage.ledger import Ledger
from tasks.acquire.web.downloader import Manners, download
from tasks.acquire.web.fetch import Job
from tasks.acquire.web.limits import Limits

root, threads = Path(sys.argv[1]), int(sys.argv[3])
urls = Path(sys.argv[2]).read_text().split()
manners = Manners(concurrency=threads, rate=0.0, allow_private_addresses=True)
with Ledger.opened(root / "ledger.sqlite") as ledger:
    download(map(Job.to, urls), ledger, ImageStore(root / "images"), allowed=Limits(),
             manners=manners, threads=threads, advance=lambda count: None)
    rows = ledger.rows(urls).values()
print(sum(row.status == DownloadStatus.OK for row in rows), len(rows))
"""


def peer_command(cache: Path) -> Path:
    """img2dataset in a venv of its own, made if it is not there."""
    command = cache / "img2dataset" / "bin" / "img2dataset"
    if not command.exists():
        venv.create(cache / "img2dataset", with_pip=True)
        pip = cache / "img2dataset" / "bin" / "pip"
        subprocess.run([pip, "install", "--quiet", PEER], check=True)
    return command


def serve() -> tuple[subprocess.Popen[str], int]:
    """The server of pictures as a process, and its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.speed.downloads", "serve"],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def run_ours(folder: Path, listing: Path) -> int:
    """Pictures that Darkroom stored."""
    arguments = [sys.executable, "-c", OURS, folder, listing, str(THREADS)]
    done = subprocess.run(arguments, check=True, cwd=PROJECT, capture_output=True, text=True)
    stored, rows = map(int, done.stdout.split())
    assert rows == ADDRESSES, done.stdout
    return stored


def run_peer(command: Path, folder: Path, listing: Path) -> int:
    """Pictures that img2dataset stored."""
    options = {
        "url_list": listing, "output_folder": folder / "out", "output_format": "files",
        "processes_count": os.cpu_count(), "thread_count": THREADS, "number_sample_per_shard": 500,
        "resize_mode": "no", "skip_reencode": True, "retries": 0, "enable_wandb": False,
    }  # fmt: skip
    arguments = [f"--{name}={value}" for name, value in options.items()]
    environment = {**os.environ, "NO_ALBUMENTATIONS_UPDATE": "1"}
    subprocess.run([command, *arguments], check=True, capture_output=True, env=environment)
    return sum(1 for _ in (folder / "out").rglob("*.jpg"))


def seconds_of(run: Callable[[Path], int], folder: Path) -> float:
    """Seconds of one run in a new folder."""
    folder.mkdir(parents=True)
    began = time.perf_counter()
    stored = run(folder)
    seconds = time.perf_counter() - began
    assert stored == ADDRESSES * 3 // 4, stored
    return seconds


def measure(cache: Path) -> dict[str, object]:
    """Both figures, as they go into the JSON."""
    command = peer_command(cache)
    server, port = serve()
    # Removed at the end only: ext4 is slow to make files just after others were deleted.
    runs = Path(tempfile.mkdtemp(prefix="runs-", dir=cache))
    listing = runs / "urls.txt"
    listing.write_text("\n".join(f"http://127.0.0.1:{port}/{n}.jpg" for n in range(ADDRESSES)))
    competitors: dict[str, Callable[[Path], int]] = {
        "darkroom": lambda folder: run_ours(folder, listing),
        "img2dataset": lambda folder: run_peer(command, folder, listing),
    }
    seconds: dict[str, list[float]] = {name: [] for name in competitors}
    try:
        # The first round does not count: code and libraries come from the disk only then.
        for number in range(RUNS + 1):
            for name, run in competitors.items():
                took = seconds_of(run, runs / f"{name}-{number}")
                seconds[name] += [took] if number else []
    finally:
        assert server.stdin is not None
        server.stdin.close()
        server.wait()
        shutil.rmtree(runs)
    return report(seconds)


def report(seconds: dict[str, list[float]]) -> dict[str, object]:
    """Medians, addresses per second, ratio."""
    rates = {name: ADDRESSES / statistics.median(some) for name, some in seconds.items()}
    return {
        "addresses": ADDRESSES,
        "latency_seconds": LATENCY_SECONDS,
        "threads": THREADS,
        "seconds": {name: [round(one, 2) for one in some] for name, some in seconds.items()},
        "addresses_per_second": {name: round(rate, 1) for name, rate in rates.items()},
        "peer": PEER,
        "ratio": round(rates["darkroom"] / rates["img2dataset"], 2),
        "goal": GOAL,
    }


def picture(size: int) -> bytes:
    """A JPEG of 320 x 240 pixels and about `size` bytes."""
    import cv2
    import numpy as np

    noise = np.random.default_rng(0).normal(0, 1, (30, 40, 3))
    pixels = cv2.resize(noise, (320, 240), interpolation=cv2.INTER_CUBIC) * 40 + 128
    pixels += np.random.default_rng(1).normal(0, 8, pixels.shape)
    pixels = np.clip(pixels, 0, 255).astype(np.uint8)
    for quality in range(95, 5, -5):
        done, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if done and len(data) <= size:
            break
    return bytes(data)


def numbered(jpeg: bytes, number: int) -> bytes:
    """The same picture with its number in a comment: other bytes, the same cost to decode."""
    comment = b"\xff\xfe\x00\x0a%08d" % number
    return jpeg[:START_OF_IMAGE] + comment + jpeg[START_OF_IMAGE:]


class Pictures(asyncio.Protocol):
    """One connection, kept alive."""

    def __init__(self, jpeg: bytes, latency_seconds: float) -> None:
        self._jpeg = jpeg
        self._latency = latency_seconds
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where answers go."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete, each after the latency."""
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            path = urlsplit(head.split(b" ", 2)[1]).path
            closing = b"\r\nconnection: close" in head.lower()
            loop = asyncio.get_running_loop()
            loop.call_later(self._latency, self._answer, path, closing)

    def _answer(self, path: bytes, closing: bool) -> None:  # noqa: FBT001 - call_later's way
        number = path[1:].removesuffix(b".jpg")
        if not number.isdigit() or int(number) % 4 == 3:
            self._transport.write(MISSING)
        else:
            body = numbered(self._jpeg, int(number))
            self._transport.write(FOUND % len(body) + body)
        if closing:
            self._transport.close()


async def answer() -> None:
    """Serve /NUMBER.jpg on a free port, which is printed, until standard input ends."""
    jpeg = picture(PICTURE_BYTES)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Pictures(jpeg, LATENCY_SECONDS), "127.0.0.1", 0, backlog=1024
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


def main() -> None:
    """Measure both, or be the server that they are measured on."""
    if sys.argv[1:] == ["serve"]:
        asyncio.run(answer())
        return
    CACHE.mkdir(parents=True, exist_ok=True)
    write("downloads", measure(CACHE.resolve()))


if __name__ == "__main__":
    main()
