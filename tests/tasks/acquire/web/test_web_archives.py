import hashlib
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import ValidationError

from storage.errors import SourceDamaged, SourceMissing, SourceTooLarge
from tasks.acquire import kinds
from tasks.acquire.parameters import Synsets, WebArchive
from tasks.acquire.web import resumable
from tasks.acquire.web.connections import GuardedAdapter
from tasks.acquire.web.limits import Limits
from tasks.acquire.web.synset_rows import archive_path
from tests.tasks.acquire.web.hostile import body, redirect, serving, slowly

DATA = hashlib.shake_128(b"archive").digest(3 * 2**20)
QUICK = Limits(max_file_bytes=2**30, read_seconds=1.0, connect_seconds=1.0, attempts=3)


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    monkeypatch.setattr(resumable, "BACKOFF_SECONDS", 0.01)


@pytest.fixture
def fetch(tmp_path):
    adapter = GuardedAdapter(allow_private=True, connections_per_host=1)

    def fetch(url, **options):
        options = {"allowed": QUICK} | options
        target = tmp_path / "downloads" / "pictures.zip"
        return resumable.download(url, target, tmp_path / "unfinished", adapter, **options)

    yield fetch
    adapter.close()


class File:
    """A file that a server serves: `breaks` says after how many bytes each answer breaks off."""

    def __init__(self, data=DATA, etag='"one"', *, breaks=(), ranges=True, etag416=None):
        self.data, self.etag, self.breaks, self.ranges = data, etag, list(breaks), ranges
        self.etag416 = etag416
        self.answers = []

    def __call__(self, line, request):
        if self.etag and request.headers.get("if-none-match") == self.etag:
            self.answers.append(304)
            line.answer(304, ETag=self.etag, Content_Length=None)
            return True
        match = re.fullmatch(r"bytes=(\d+)-", request.headers.get("range", ""))
        same = request.headers.get("if-range") == self.etag
        start = int(match[1]) if match and same and self.ranges else 0
        if start >= len(self.data):
            self.answers.append((416, start))
            line.answer(416, Content_Range=f"bytes */{len(self.data)}", ETag=self.etag416)
            return True
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


@pytest.mark.parametrize("etag", [None, '"one"'])
def test_a_half_that_is_the_whole_is_taken_as_it_is(fetch, tmp_path, monkeypatch, etag):
    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(resumable.Half, "require_checksum", killed)
    file = File(etag416=etag)
    with serving({"/a.zip": file}) as server:
        with pytest.raises(KeyboardInterrupt):
            fetch(server.url("/a.zip"))
        monkeypatch.undo()
        assert fetch(server.url("/a.zip")).digest == hashlib.sha256(DATA).hexdigest()
    assert file.answers == [(200, 0), (416, len(DATA))]
    assert (tmp_path / "downloads/pictures.zip").read_bytes() == DATA


@pytest.mark.parametrize("case", ["shorter", "another version"])
def test_a_half_of_which_the_server_has_less_is_thrown_away(fetch, tmp_path, case):
    file = File(breaks=[2**20])
    with serving({"/a.zip": file}) as server:
        with pytest.raises(SourceMissing):
            fetch(server.url("/a.zip"), allowed=Limits(attempts=1))
        file.data = DATA[::-1][: 2**20 - (case == "shorter")]
        file.etag416 = '"two"' if case == "another version" else None
        fetch(server.url("/a.zip"))
    assert file.answers == [(200, 0), (416, 2**20), (200, 0)]
    assert (tmp_path / "downloads/pictures.zip").read_bytes() == file.data


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


@pytest.mark.parametrize("checksum", ["abc", "sha256=00", "crc32:00", "sha256:", "sha256:xy"])
def test_what_is_no_checksum_is_refused_before_anything_is_fetched(fetch, checksum):
    with pytest.raises(ValidationError, match="checksum"):
        WebArchive(url="http://a.example/a.zip", checksum=checksum)
    with serving({"/a.zip": File()}) as server:
        with pytest.raises(SourceDamaged, match="like sha256"):
            fetch(server.url("/a.zip"), checksum=checksum)
        assert not server.requests


@pytest.mark.parametrize("kind", ["md5", "SHA1", "sha256", "SHA512"])
def test_checksums_that_are_checked_are_parameters_too(kind):
    checksum = f"{kind}:{hashlib.new(kind, DATA).hexdigest()}"
    assert resumable.CHECKSUM.fullmatch(checksum)
    assert WebArchive(url="http://a.example/a.zip", checksum=checksum).checksum == checksum


def test_a_whole_file_outlives_a_wrong_checksum(fetch, tmp_path):
    file, right = File(), f"sha256:{hashlib.sha256(DATA).hexdigest()}"
    with serving({"/a.zip": file}) as server:
        first = fetch(server.url("/a.zip"))
        with pytest.raises(SourceDamaged, match="correct the checksum"):
            fetch(server.url("/a.zip"), checksum=f"sha256:{'0' * 64}")
        assert (tmp_path / "downloads/pictures.zip").read_bytes() == DATA
        count = len(server.requests)
        assert fetch(server.url("/a.zip"), checksum=right) == first
        assert len(server.requests) == count


def test_a_file_with_another_checksum_is_fetched_again(fetch, tmp_path):
    file, new = File(), DATA[::-1]
    with serving({"/a.zip": file}) as server:
        fetch(server.url("/a.zip"))
        file.data, file.etag = new, '"two"'
        fetch(server.url("/a.zip"), checksum=f"sha256:{hashlib.sha256(new).hexdigest()}")
    assert (tmp_path / "downloads/pictures.zip").read_bytes() == new
    assert file.answers == [(200, 0), (200, 0)]


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
        resumable.download(
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
            kinds.fetch(workspace, source)
        assert not archive_path(workspace, url).exists()
        enough = source.model_copy(update={"max_total_bytes": len(DATA)})
        kinds.fetch(workspace, enough)
    assert archive_path(workspace, url).read_bytes() == DATA


def test_how_much_of_a_synsets_archive_is_fetched_is_a_parameter(workspace):
    with serving({"/n04194289.tar": File()}) as server:
        source = Synsets(
            synsets={"ship": "n04194289"}, url_list=server.url("/{wnid}.tar"),
            allow_private_addresses=True, max_total_bytes=2**20,
        )  # fmt: skip
        with pytest.raises(SourceTooLarge, match=r"raise source\.max_total_bytes"):
            kinds.fetch(workspace, source)


@pytest.mark.parametrize("revisit", [False, True])
def test_two_runs_that_want_the_same_file_fetch_it_once(workspace, revisit):
    file = File()
    with serving({"/a.zip": slowly(0.3, file)}) as server:
        source = WebArchive(url=server.url("/a.zip"), allow_private_addresses=True)
        with ThreadPoolExecutor(2) as pool:
            runs = [pool.submit(kinds.fetch, workspace, source, revisit=revisit) for _ in range(2)]
            assert [run.result() for run in runs] == [None, None]
    assert file.answers == [(200, 0), *([304] if revisit else [])]
    assert archive_path(workspace, source.url).read_bytes() == DATA


def test_a_half_that_somebody_else_wrote_to_is_not_believed(fetch, tmp_path):
    def disturbed(line, request):
        line.answer(200, Content_Length=len(DATA), ETag=f'"{len(line.server.requests)}"')
        line.socket.sendall(DATA[:-1])
        line.server.closing.wait(0.2)
        if len(line.server.requests) == 1:
            (half,) = (tmp_path / "unfinished").glob("*.half")
            with half.open("ab") as stream:
                stream.write(b"more")
        line.socket.sendall(DATA[-1:])

    with serving({"/a.zip": disturbed}) as server:
        fetch(server.url("/a.zip"))
        assert len(server.requests) == 2
    assert (tmp_path / "downloads/pictures.zip").read_bytes() == DATA
