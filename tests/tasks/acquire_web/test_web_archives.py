import hashlib
import re

import pytest

from storage.errors import SourceDamaged, SourceMissing, SourceTooLarge
from tasks.acquire import visiting
from tasks.acquire.sources import Synsets, WebArchive
from tasks.acquire.web import archives
from tasks.acquire.web.connections import GuardedAdapter
from tasks.acquire.web.limits import Limits
from tasks.acquire.web.source import archive_path
from tests.tasks.acquire_web.hostile import body, redirect, serving

DATA = hashlib.shake_128(b"archive").digest(3 * 2**20)
QUICK = Limits(max_file_bytes=2**30, read_seconds=1.0, connect_seconds=1.0, attempts=3)


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    monkeypatch.setattr(archives, "BACKOFF_SECONDS", 0.01)


@pytest.fixture
def fetch(tmp_path):
    adapter = GuardedAdapter(allow_private=True, connections_per_host=1)

    def fetch(url, **options):
        options = {"allowed": QUICK} | options
        target = tmp_path / "downloads" / "pictures.zip"
        return archives.download(url, target, tmp_path / "unfinished", adapter, **options)

    yield fetch
    adapter.close()


class File:
    """A file that a server serves: `breaks` says after how many bytes each answer breaks off."""

    def __init__(self, data=DATA, etag='"one"', *, breaks=(), ranges=True):
        self.data, self.etag, self.breaks, self.ranges = data, etag, list(breaks), ranges
        self.answers = []

    def __call__(self, line, request):
        if self.etag and request.headers.get("if-none-match") == self.etag:
            self.answers.append(304)
            line.answer(304, ETag=self.etag, Content_Length=None)
            return True
        match = re.fullmatch(r"bytes=(\d+)-", request.headers.get("range", ""))
        same = request.headers.get("if-range") == self.etag
        start = int(match[1]) if match and same and self.ranges else 0
        headers = {"ETag": self.etag} if self.etag else {}
        if start:
            headers["Content_Range"] = f"bytes {start}-{len(self.data) - 1}/{len(self.data)}"
        part = self.data[start:]
        self.answers.append((206 if start else 200, start))
        line.answer(206 if start else 200, Content_Length=len(part), **headers)
        length = self.breaks.pop(0) if self.breaks else len(part)
        line.socket.sendall(part[:length])
        return length >= len(part)


def test_a_file_is_fetched_once(fetch, tmp_path):
    file = File()
    with serving({"/a.zip": file}) as server:
        first = fetch(server.url("/a.zip"))
        assert fetch(server.url("/a.zip")) == first
        assert len(server.requests) == 1
    assert (tmp_path / "downloads/pictures.zip").read_bytes() == DATA
    assert first.digest == hashlib.sha256(DATA).hexdigest()
    assert not list((tmp_path / "unfinished").iterdir())


def test_it_is_taken_up_where_it_broke_off(fetch, tmp_path):
    file = File(breaks=[2**20, 2**19])
    with serving({"/a.zip": file}) as server:
        fetch(server.url("/a.zip"))
    assert file.answers == [(200, 0), (206, 2**20), (206, 2**20 + 2**19)]
    assert (tmp_path / "downloads/pictures.zip").read_bytes() == DATA


def test_another_run_takes_it_up_too(fetch, tmp_path):
    file = File(breaks=[2**20])
    with serving({"/a.zip": file}) as server:
        with pytest.raises(SourceMissing, match="is kept"):
            fetch(server.url("/a.zip"), allowed=Limits(attempts=1))
        assert not (tmp_path / "downloads/pictures.zip").exists()
        fetch(server.url("/a.zip"))
    assert file.answers == [(200, 0), (206, 2**20)]
    assert (tmp_path / "downloads/pictures.zip").read_bytes() == DATA


@pytest.mark.parametrize("case", ["changed", "no ranges", "no validator", "weak"])
def test_a_half_is_thrown_away_when_it_may_be_of_another_file(case, fetch, tmp_path):
    etag = {"no validator": "", "weak": 'W/"one"'}.get(case, '"one"')
    file = File(etag=etag, breaks=[2**20])
    with serving({"/a.zip": file}) as server:
        with pytest.raises(SourceMissing):
            fetch(server.url("/a.zip"), allowed=Limits(attempts=1))
        file.data, file.ranges = DATA[::-1], case != "no ranges"
        file.etag = '"two"' if case == "changed" else etag
        fetch(server.url("/a.zip"))
    assert file.answers == [(200, 0), (200, 0)]
    assert (tmp_path / "downloads/pictures.zip").read_bytes() == DATA[::-1]


def test_a_server_that_sends_another_part_is_not_believed(fetch, tmp_path):
    def lies(line, request):
        if "range" in request.headers:
            headers = {"Content_Range": f"bytes 5-{len(DATA) - 1}/{len(DATA)}"}
            return line.answer(206, DATA[5:], ETag='"one"', **headers)
        return File(breaks=[2**20] if len(line.server.requests) == 1 else [])(line, request)

    with serving({"/a.zip": lies}) as server:
        fetch(server.url("/a.zip"))
        assert len(server.requests) == 3
    assert (tmp_path / "downloads/pictures.zip").read_bytes() == DATA


def test_progress_renews_patience_but_none_ends_it(fetch):
    file = File(breaks=[2**20, 2**20, 100, 100, 100])
    with serving({"/a.zip": file}) as server, pytest.raises(SourceMissing, match="incomplete"):
        fetch(server.url("/a.zip"), allowed=Limits(attempts=2))
    assert len(file.answers) == 3


def test_revisiting_sends_no_body_unless_there_is_a_new_one(fetch, tmp_path):
    file = File()
    with serving({"/a.zip": file}) as server:
        first = fetch(server.url("/a.zip"))
        assert fetch(server.url("/a.zip"), revisit=True) == first
        file.data, file.etag = DATA + b"more", '"two"'
        second = fetch(server.url("/a.zip"), revisit=True)
    assert file.answers == [(200, 0), 304, (200, 0)]
    assert second.bytes == len(DATA) + 4
    assert second.digest != first.digest


def test_a_file_that_lost_bytes_is_fetched_again(fetch, tmp_path):
    with serving({"/a.zip": File()}) as server:
        fetch(server.url("/a.zip"))
        (tmp_path / "downloads/pictures.zip").write_bytes(DATA[:100])
        fetch(server.url("/a.zip"))
    assert (tmp_path / "downloads/pictures.zip").read_bytes() == DATA


@pytest.mark.parametrize("kind", ["sha256", "md5", "SHA512"])
def test_checksums(fetch, tmp_path, kind):
    digest = hashlib.new(kind, DATA).hexdigest().upper()
    with serving({"/a.zip": File()}) as server:
        with pytest.raises(SourceDamaged, match="damaged on its way"):
            fetch(server.url("/a.zip"), checksum=f"{kind}:{'0' * len(digest)}")
        assert not (tmp_path / "downloads/pictures.zip").exists()
        fetch(server.url("/a.zip"), checksum=f"{kind}:{digest}")
    with serving({"/a.zip": File()}) as server, pytest.raises(SourceDamaged, match="like sha256"):
        fetch(server.url("/a.zip"), checksum="abc")


def test_redirects_are_followed_and_counted(fetch):
    with serving(
        {"/a": redirect("/b"), "/b": redirect("/c"), "/c": File(), "/x": redirect("/x")}
    ) as s:
        assert fetch(s.url("/a")).bytes == len(DATA)
        with pytest.raises(SourceMissing, match="too many redirects"):
            fetch(s.url("/x"))


def test_errors_say_what_was_found(fetch):
    with serving({"/big": body(b"", Content_Length=2**40)}) as server:
        with pytest.raises(SourceMissing, match="HTTP 404"):
            fetch(server.url("/none.zip"))
        with pytest.raises(SourceTooLarge, match="1,099,511,627,776"):
            fetch(server.url("/big"))


def test_private_addresses_are_refused(tmp_path):
    adapter = GuardedAdapter(allow_private=False, connections_per_host=1)
    with serving({"/a.zip": File()}) as server, pytest.raises(SourceMissing, match="private"):
        archives.download(
            server.url("/a.zip"), tmp_path / "a.zip", tmp_path, adapter, allowed=QUICK
        )


@pytest.mark.parametrize("declared", [True, False])
def test_how_much_is_fetched_is_a_parameter(workspace, declared):
    def archive(line, request):
        if declared:
            return line.answer(200, DATA)
        line.answer(200, Content_Length=None, Connection="close")
        line.socket.sendall(DATA)
        return False

    with serving({"/a.zip": archive}) as server:
        url = server.url("/a.zip")
        source = WebArchive(url=url, allow_private_addresses=True, max_total_bytes=len(DATA) - 1)
        with pytest.raises(SourceTooLarge, match=r"raise source\.max_total_bytes"):
            visiting.fetch(workspace, source)
        assert not archive_path(workspace, url).exists()
        enough = source.model_copy(update={"max_total_bytes": len(DATA)})
        visiting.fetch(workspace, enough)
    assert archive_path(workspace, url).read_bytes() == DATA


def test_how_much_of_a_synsets_archive_is_fetched_is_a_parameter(workspace):
    with serving({"/n04194289.tar": File()}) as server:
        source = Synsets(
            synsets={"ship": "n04194289"}, url_list=server.url("/{wnid}.tar"),
            allow_private_addresses=True, max_total_bytes=2**20,
        )  # fmt: skip
        with pytest.raises(SourceTooLarge, match=r"raise source\.max_total_bytes"):
            visiting.fetch(workspace, source)
