from dataclasses import replace

import pytest

from storage.errors import SourceMissing
from storage.images import ImageStore
from storage.ledger import Ledger
from storage.statuses import DownloadStatus as S
from storage.statuses import Status
from tasks.acquire.collection import COLUMNS, Collected, save
from tasks.acquire.web import synset_rows
from tasks.acquire.web.downloader import Manners
from tasks.acquire.web.failing_hosts import PATIENCE
from tasks.acquire.web.limits import Limits
from tests.tasks.acquire.web.hostile import (
    body,
    in_turn,
    jpeg,
    picture,
    redirect,
    serving,
)

SYNSETS = {"ship": "n04194289", "bike": "n02834778"}
LIMITS = Limits(attempts=1)
MANNERS = Manners(rate=0.0, allow_private_addresses=True)


class Site:
    """A server of pictures that knows ETags, and the two lists that lead to it."""

    def __init__(self, count):
        self.count = count
        self.bodies = 0
        self.changed = set()
        self.gone = set()
        self.behaviours = {"*": self.picture}
        for label, wnid in SYNSETS.items():
            self.behaviours[f"/lists/{wnid}"] = self.listing(label)

    def listing(self, label):
        def respond(line, request):
            urls = [line.server.url(f"/{label}/{n}.jpg") for n in range(self.count)]
            text = "\r\n".join(urls).encode()
            etag = f'"{self.count}"'
            if request.headers.get("if-none-match") == etag:
                return line.answer(304, ETag=etag, Content_Length=None)
            return line.answer(200, text, ETag=etag, Content_Type="text/html")

        return respond

    def picture(self, line, request):
        _, label, name = request.path.split("/")
        number = int(name.partition(".")[0])
        if number % 4 == 3 or request.path in self.gone:
            return line.answer(404)
        version = request.path in self.changed
        etag = f'"{label}{number}{version}"'
        if request.headers.get("if-none-match") == etag:
            return line.answer(304, ETag=etag, Content_Length=None)
        self.bodies += 1
        data = jpeg(1000 * (label == "ship") + number + 5000 * version)
        return line.answer(200, data, ETag=etag)


@pytest.fixture
def collect(workspace):
    def collect(url_list, synsets=SYNSETS, **options):
        options = {"manners": MANNERS, "limits": LIMITS, "max_total_bytes": 2**20} | options
        counts = []
        table = synset_rows.collect_synsets(
            workspace, synsets, url_list, advance=counts.append, **options,
        )  # fmt: skip
        assert sum(counts) == table["source"].nunique()
        return table

    return collect


def running(site):
    return serving({**site.behaviours, "/robots.txt": lambda line, request: line.answer(404)})


def test_two_synsets_become_a_collection(collect, workspace):
    with running(Site(8)) as server:
        table = collect(server.url("/lists/{wnid}"))
    assert tuple(table.columns) == COLUMNS
    assert list(table["name"][:3]) == [f"n02834778/img{n}" for n in range(3)]
    assert list(table["label"]) == ["bike"] * 8 + ["ship"] * 8
    assert (table["status"] == "kept").sum() == 12
    dead = table[table["status"] != "kept"]
    assert set(dead["reason"]) == {"not found: HTTP 404 Whatever"}
    assert set(dead["status"]) == {Status.NOT_DOWNLOADED}
    images = ImageStore(workspace.images)
    kept = table[table["status"] == "kept"]
    assert all(
        images.has(name, size) for name, size in zip(kept["image"], kept["bytes"], strict=True)
    )
    assert save(workspace, Collected("synsets", table)).images == 12


def test_the_first_addresses_of_each_class(collect):
    with running(Site(20)) as server:
        table = collect(server.url("/lists/{wnid}"), first=5)
        assert list(table["name"]) == [
            f"{w}/img{n}" for w in sorted(SYNSETS.values()) for n in range(5)
        ]
        assert len([path for path in server.paths() if "jpg" in path]) == 10


def test_a_second_run_sends_nothing_and_gives_the_same(collect):
    with running(Site(8)) as server:
        first = collect(server.url("/lists/{wnid}"))
        count = len(server.requests)
        assert collect(server.url("/lists/{wnid}")).equals(first)
        assert len(server.requests) == count


def test_a_picture_that_is_lost_from_the_store_is_fetched_again(collect, workspace):
    site = Site(8)
    with running(site) as server:
        first = collect(server.url("/lists/{wnid}"))
        images = ImageStore(workspace.images)
        lost = images.path(first["image"][0])
        lost.unlink()
        assert collect(server.url("/lists/{wnid}")).equals(first)
        assert site.bodies == 13
        assert lost.exists()


def test_revisiting_downloads_only_what_is_new(collect):
    site = Site(8)
    with running(site) as server:
        url = server.url("/lists/{wnid}")
        first = collect(url)
        assert collect(url, revisit=True).equals(first)
        assert site.bodies == 12
        site.count = 9
        site.changed = {"/ship/0.jpg"}
        site.gone = {"/bike/1.jpg"}
        table = collect(url, revisit=True).set_index("name")
        assert site.bodies == 15
        assert table.loc["n04194289/img8", "status"] == "kept"
        assert table.loc["n04194289/img0", "image"] not in set(first["image"])
        assert table.loc["n02834778/img1", "status"] == Status.NOT_DOWNLOADED


def test_a_server_that_is_down_takes_no_picture_away(collect):
    with running(Site(4)) as server:
        url = server.url("/lists/{wnid}")
        first = collect(url)
        server.behaviours["*"] = lambda line, request: line.answer(500)
        assert collect(url, revisit=True).equals(first)


def test_a_site_whose_rules_cannot_be_had_takes_no_picture_away(collect):
    with running(Site(4)) as server:
        url = server.url("/lists/{wnid}")
        first = collect(url)
        before = len(server.paths())
        server.behaviours["/robots.txt"] = lambda line, request: line.answer(503)
        assert collect(url, revisit=True).equals(first)
        assert {path.partition("/n0")[0] for path in server.paths()[before:]} == {"/lists"}


@pytest.mark.parametrize("obey_robots", [True, False], ids=["robots.txt", "strikes"])
def test_a_server_that_is_gone_takes_no_picture_away(collect, tmp_path, obey_robots):
    manners = replace(MANNERS, obey_robots=obey_robots)
    path = tmp_path / "list.txt"
    with running(Site(2 * PATIENCE)) as server:
        path.write_text("\n".join(server.url(f"/ship/{n}.jpg") for n in range(2 * PATIENCE)))
        first = collect(str(path), {"ship": "n04194289"}, manners=manners)
    assert collect(str(path), {"ship": "n04194289"}, manners=manners, revisit=True).equals(first)


def test_retrying_takes_up_only_what_may_succeed_now(collect):
    flaky = in_turn(lambda line, request: line.answer(500), picture())
    with serving({"/flaky": flaky}) as server:
        data = f"{server.url('/flaky')}\n{server.url('/dead')}\n".encode()
        server.behaviours["/list"] = body(data)
        one = {"ship": "n04194289"}
        assert set(collect(server.url("/list"), one)["status"]) == {Status.NOT_DOWNLOADED}
        collect(server.url("/list"), one)
        before = len(server.paths())
        table = collect(server.url("/list"), one, retry_failed=True)
        assert server.paths()[before:] == ["/flaky"]
        assert list(table["status"]) == ["kept", Status.NOT_DOWNLOADED]


REFUSING = {
    "private": (S.PRIVATE_ADDRESS, {"manners": replace(MANNERS, allow_private_addresses=False)}),
    "robots": (S.ROBOTS, {}),
    "noai": (S.NO_AI, {}),
    "too large": (S.TOO_LARGE, {"limits": replace(LIMITS, max_file_bytes=1000)}),
}


@pytest.mark.parametrize("case", REFUSING)
def test_what_a_parameter_refused_is_asked_again_when_it_has_changed(collect, tmp_path, case):
    status, refusing = REFUSING[case]
    allowing = {"limits": LIMITS, "manners": replace(MANNERS, obey_robots=False)}
    headers = {"X_Robots_Tag": "noai"} if case == "noai" else {}
    rules = b"User-agent: *\nDisallow: /\n" if case == "robots" else b""
    with serving({"/robots.txt": body(rules), "/x.jpg": picture(1, **headers)}) as server:
        path = tmp_path / "list.txt"
        path.write_text(server.url("/x.jpg"))
        for _ in range(2):
            table = collect(str(path), {"ship": "n04194289"}, **refusing)
            assert table["reason"][0].startswith(status)
            asked = int(case in ("noai", "too large"))
            assert len(server.paths()) == asked
        for _ in range(2):
            table = collect(str(path), {"ship": "n04194289"}, **allowing)
            assert list(table["status"]) == ["kept"]
            assert len(server.paths()) == asked + 1


def test_what_no_parameter_allows_is_not_asked_again(collect, tmp_path):
    path = tmp_path / "list.txt"
    with serving({"/x.jpg": redirect("http://169.254.169.254/x.jpg")}) as server:
        path.write_text(server.url("/x.jpg"))
        for _ in range(2):
            table = collect(str(path), {"ship": "n04194289"})
            assert table["reason"][0].startswith(S.PRIVATE_ADDRESS)
        assert server.paths() == ["/x.jpg"]


def test_a_picture_too_large_for_this_run_is_set_aside_and_stays_in_the_ledger(collect):
    with running(Site(4)) as server:
        url = server.url("/lists/{wnid}")
        first = collect(url)
        count = len(server.requests)
        table = collect(url, limits=replace(LIMITS, max_file_bytes=1000))
        kept = first["status"] == "kept"
        assert set(table["status"][kept]) == {Status.TOO_MANY_BYTES}
        assert set(table["image"]) == {""}
        assert table["reason"][0].endswith(" bytes, more than 1,000")
        assert collect(url).equals(first)
        assert len(server.requests) == count


def test_one_placeholder_for_many_addresses_is_set_aside(collect, workspace):
    gone = picture(77)
    real = {f"/{n}.jpg": picture(n) for n in range(3)}
    with serving(
        {"*": gone, "/robots.txt": lambda line, request: line.answer(404), **real}
    ) as server:
        for wnid in SYNSETS.values():
            urls = [server.url(f"/{n}.jpg?{wnid}" if n > 2 else f"/{n}.jpg") for n in range(6)]
            server.behaviours[f"/lists/{wnid}"] = body("\n".join(urls).encode())
        table = collect(server.url("/lists/{wnid}"))
    assert (table["status"] == Status.PLACEHOLDER).sum() == 6
    assert (table["status"] == "kept").sum() == 6
    with Ledger.opened(workspace.ledger) as ledger:
        rows = ledger.rows(list(table["source"]))
    assert [row.status for row in rows.values()].count(S.PLACEHOLDER) == 6


def test_a_local_file_serves_all_synsets(collect, tmp_path):
    with running(Site(8)) as server:
        lines = [
            f"{wnid}_{n}\t{server.url(f'/{label}/{n}.jpg')}"
            for n in range(3)
            for label, wnid in SYNSETS.items()
        ]
        (tmp_path / "fall11.txt").write_text("\n".join(lines))
        table = collect(str(tmp_path / "fall11.txt"))
    assert list(table["name"]) == [
        f"{w}/img{n}" for w in sorted(SYNSETS.values()) for n in range(3)
    ]
    assert set(table["status"]) == {"kept"}


def test_a_list_that_is_gone_names_the_alternatives(collect):
    with serving({}) as server, pytest.raises(SourceMissing) as error:
        collect(server.url("/api/text/imagenet.synset.geturls?wnid={wnid}"))
    message = str(error.value)
    assert "geturls?wnid=n04194289" in message
    assert "HTTP 404" in message
    assert "winter21_whole/{wnid}.tar" in message
    assert "imagenet_fall11_urls.tgz" in message


def test_lists_are_fetched_from_private_addresses_only_if_allowed(collect):
    with running(Site(4)) as server, pytest.raises(SourceMissing, match="allow_private_addresses"):
        collect(server.url("/lists/{wnid}"), manners=Manners())


def test_an_archive_of_each_synset_is_a_source_too(workspace):
    import io
    import tarfile

    def tar(number):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            entry = tarfile.TarInfo(f"x_{number}.JPEG")
            entry.size = len(jpeg(number))
            archive.addfile(entry, io.BytesIO(jpeg(number)))
        return buffer.getvalue()

    behaviours = {f"/{wnid}.tar": body(tar(n)) for n, wnid in enumerate(SYNSETS.values())}
    with serving(behaviours) as server:
        url = server.url("/{wnid}.tar")
        assert synset_rows.is_archive_list(url)
        assert not synset_rows.is_archive_list("https://x/fall11_urls.tgz")
        files = synset_rows.archive_files(
            workspace, SYNSETS, url, manners=MANNERS, max_total_bytes=2**30, max_file_bytes=2**20
        )
        assert [file.name for file in files] == ["n04194289/x_0.JPEG", "n02834778/x_1.JPEG"]
