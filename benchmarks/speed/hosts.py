"""One host with 400 addresses, 26 of which hang, and which refuses now and then.

A local server sends a byte a second to 26 addresses, answers 429 to every fiftieth request and
counts what comes: `darkroom run … --until acquire` with everything as by default, then the same
again. `pace` is what comes back after a single 429: requests a second before it, and after 200 good
answers more. About five minutes.
"""

import asyncio
import json
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Self

from benchmarks.measuring import run, write

ADDRESSES, HANGING = 400, 26
REFUSED_EVERY = 50
PACED, REFUSED_AT = 1_000, 400
LATENCY_SECONDS = 0.02
MOST_AT_A_TIME = 8
OK = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
TOO_MANY = b"HTTP/1.1 429 Too Many\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
NO_RULES = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


def picture(number: int) -> bytes:
    """A JPEG unlike those of the other numbers."""
    import cv2
    import numpy as np

    pixels = np.random.default_rng(number).integers(0, 256, (8, 8, 3), np.uint8)
    return cv2.imencode(".jpg", cv2.resize(pixels, (160, 120)))[1].tobytes()


class Server:
    """A host on loopback: which addresses hang, which requests are refused, and what it saw."""

    def __init__(self, hanging: set[int], refused: set[int]) -> None:
        self.hanging, self.refused = hanging, refused
        self.times: list[float] = []
        self.active = self.busiest = 0
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._run, daemon=True).start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._talk, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                path = head.split(b" ", 2)[1].decode()
                if path == "/robots.txt":
                    writer.write(NO_RULES)
                    await writer.drain()
                    continue
                self.times.append(time.monotonic())
                self.active += 1
                self.busiest = max(self.busiest, self.active)
                try:
                    await self._answer(reader, writer, int(path[1:].partition(".")[0]))
                finally:
                    self.active -= 1
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        await asyncio.sleep(LATENCY_SECONDS)
        if len(self.times) in self.refused:
            writer.write(TOO_MANY)
        elif number in self.hanging:
            writer.write(OK % 10_000)
            gone = asyncio.ensure_future(reader.read(1))
            while not gone.done():
                writer.write(b"x")
                await writer.drain()
                await asyncio.wait([gone], timeout=1)
        else:
            data = picture(number)
            writer.write(OK % len(data) + data)
        await writer.drain()


def run_once(server: Server, count: int, home: Path) -> dict[str, Any]:
    """Seconds, requests and how the addresses ended."""
    addresses = home / "addresses.txt"
    home.mkdir(exist_ok=True)
    lines = (f"http://127.0.0.1:{server.port}/{number}.jpg" for number in range(count))
    addresses.write_text("\n".join(lines))
    source = (
        "source={kind: synsets, synsets: {bike: n02834778}, "
        f"url_list: {addresses}, allow_private_addresses: true}}"
    )
    settings = [source, "experiment=hosts"]
    words = [word for one in settings for word in ("--set", one)]
    before, started = len(server.times), time.perf_counter()
    command = [sys.executable, "-m", "flows", "run", "my-pictures", *words]
    done = run([*command, "--until", "acquire", "--json"], DARKROOM_HOME=str(home / "home"))
    said = json.loads(done.output.strip().splitlines()[-1])
    return {
        "seconds": round(time.perf_counter() - started, 1),
        "requests": len(server.times) - before,
        "acquire": said["steps"][0]["seconds"],
    }


def statuses(home: Path) -> dict[str, int]:
    """How many addresses ended how."""
    from collections import Counter

    from storage.ledger import Ledger
    from storage.workspace import Workspace

    with Ledger.opened(Workspace(home / "home").ledger) as ledger:
        urls = (home / "addresses.txt").read_text().split()
        return dict(Counter(str(row.status) for row in ledger.rows(urls).values()))


def pace(times: list[float], start: int, stop: int) -> float:
    """Requests a second from one request to another."""
    return round((stop - start) / (times[stop] - times[start]), 1)


def main() -> None:
    """Both hosts."""
    step = ADDRESSES // HANGING
    hanging = {number * step for number in range(HANGING)}
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / "one"
        with Server(hanging, set(range(REFUSED_EVERY, 10_000, REFUSED_EVERY))) as server:
            first = run_once(server, ADDRESSES, home)
            print(json.dumps(first), file=sys.stderr, flush=True)
            again = run_once(server, ADDRESSES, home)
            found = {
                "first": first, "again": again, "addresses": statuses(home),
                "most_at_a_time": server.busiest,
            }  # fmt: skip
        assert server.busiest <= MOST_AT_A_TIME, server.busiest
        home = Path(name) / "two"
        with Server(set(), {REFUSED_AT}) as server:
            run_once(server, PACED, home)
            recovered = REFUSED_AT + 200
            found["pace"] = {
                "before": pace(server.times, REFUSED_AT - 200, REFUSED_AT - 10),
                "after": pace(server.times, recovered, recovered + 200),
            }
    write("hosts", found)


if __name__ == "__main__":
    main()
