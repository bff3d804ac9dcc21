import os
import signal
import subprocess
import sys
import threading
import time

from storage import digests
from storage.ledger import Ledger
from storage.statuses import DownloadStatus as S
from tests.project import PROJECT
from tests.tasks.acquire.web.hostile import jpeg, serving

SCRIPT = """
import sys
from pathlib import Path
from storage.images import ImageStore
from storage.ledger import Ledger
from tasks.acquire.web.downloader import Manners, download
from tasks.acquire.web.fetch import Job
from tasks.acquire.web.limits import Limits

root, urls = Path(sys.argv[1]), Path(sys.argv[2]).read_text().split()
with Ledger.opened(root / "ledger.sqlite") as ledger:
    missing = ledger.missing(urls)
    download([Job.to(url) for url in missing], ledger, ImageStore(root / "images"),
             allowed=Limits(), threads=16, advance=lambda count: None,
             manners=Manners(rate=0.0, concurrency=16, allow_private_addresses=True))
print(len(missing))
"""


def start(root, urls):
    listing = root / "urls.txt"
    listing.write_text("\n".join(urls))
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(root), str(listing)],
        cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip


def rows_at(root, urls):
    with Ledger.opened(root / "ledger.sqlite") as ledger:
        return ledger.rows(urls)


def test_after_kill_9_the_next_run_continues(tmp_path):
    def numbered(line, request):
        line.server.closing.wait(0.03)
        line.answer(200, jpeg(int(request.path[1:])))

    with serving({"*": numbered, "/robots.txt": lambda line, r: line.answer(404)}) as server:
        urls = [server.url(f"/{number}") for number in range(600)]
        written: dict = {}
        for wanted in (60, 300):
            process = start(tmp_path, urls)
            before = len(server.requests)
            while len(written) < wanted:
                assert process.poll() is None, "it ended before it was killed"
                time.sleep(0.02)
                written = rows_at(tmp_path, urls)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            known_before, written = written, rows_at(tmp_path, urls)
            assert known_before.items() <= written.items()
            assert len(written) < len(urls)
            # Requests that were on their way when the process died.
            time.sleep(0.2)
            asked_again = {r.path for r in server.requests[before:]}
            assert len(asked_again) > 0
            mark = len(server.requests)
        process = start(tmp_path, urls)
        output, _ = process.communicate(timeout=60)
        assert int(output) == len(urls) - len(written)
        later = {r.path for r in server.requests[mark:]}
        assert not later & {"/" + url.rpartition("/")[2] for url in written}
    rows = rows_at(tmp_path, urls)
    assert {row.status for row in rows.values()} == {S.OK}
    assert len(rows) == len(urls)
    for row in rows.values():
        image = tmp_path / "images" / row.image[:2] / row.image
        assert digests.of_file(image) == image.stem


def test_ctrl_c_ends_the_process_and_keeps_the_rows(tmp_path):
    def slow(line, request):
        if request.path != "/robots.txt" and int(request.path[1:]) > 30:
            line.server.closing.wait(20)
        line.answer(200, jpeg(1))

    with serving({"*": slow, "/robots.txt": lambda line, r: line.answer(404)}) as server:
        urls = [server.url(f"/{number}") for number in range(100)]
        process = start(tmp_path, urls)
        killer = threading.Timer(20, process.kill)
        killer.start()
        while len(rows_at(tmp_path, urls)) < 20:
            assert process.poll() is None, "it ended before it was interrupted"
            time.sleep(0.05)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.wait()
        killer.cancel()
        assert time.monotonic() - began < 8
        assert 20 <= len(rows_at(tmp_path, urls)) < 100
