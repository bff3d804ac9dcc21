import gzip
import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import SourceDamaged, SourceMissing
from tasks.acquire.web import url_lists
from tasks.acquire.web.url_lists import addresses, grouped
from tests.project import examples

SHIP, BIKE = "n04194289", "n02834778"
BOTH = {"ship": SHIP, "bike": BIKE}
URLS = ["http://a.example/1.jpg", "http://a.example/my photo.jpg", "https://b.example/?a=1&copy=2"]


def read(data, synsets=None, name="list.txt", tmp_path=None):
    path = tmp_path / name
    path.write_bytes(data)
    return addresses(path, synsets or {"ship": SHIP})


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(URLS),
        "\r\n".join(URLS) + "\r\n",
        "\ufeff" + "\n".join(URLS),
        "\n\n  " + "\n\n".join(URLS) + "  \n",
        "<html><body><p>" + "\r\n".join(URLS).replace("&", "&amp;") + "</p></body></html>",
        "<!DOCTYPE html><pre>" + "<br/>".join(URLS).replace("&", "&amp;") + "</pre>",
        "".join(f"<p>{url}</p>" for url in URLS).replace("&", "&amp;"),
        "".join(f"{SHIP}_{number} {url}\n" for number, url in enumerate(URLS)),
        "".join(f"{SHIP}_{number}\t{url}\r\n" for number, url in enumerate(URLS)),
        "<p>" + "".join(f"{SHIP}_{n} {url}\n" for n, url in enumerate(URLS)).replace("&", "&amp;"),
        "url,label\n" + "".join(f'"{url}",ship\n' for url in URLS),
        "Wnid;URL\n" + "".join(f"{SHIP};{url}\n" for url in URLS),
        "class\taddress\n" + "".join(f"SHIP\t{url}\n" for url in URLS),
        "image_url\n" + "".join(f"{url}\n" for url in URLS),
    ],
)
def test_every_form_gives_the_same_addresses_in_order(text, tmp_path):
    assert read(text.encode(), tmp_path=tmp_path) == {"ship": URLS}


MIXED = (
    f"{BIKE}_7\thttp://b/7\n{SHIP}_3\thttp://s/3\nn01440764_1\thttp://x/1\n"
    f"{BIKE}_2\thttp://b/2\nn02834778x_2\thttp://no\n{SHIP}_1\thttp://s/1"
).encode()
FOUND = {"ship": ["http://s/3", "http://s/1"], "bike": ["http://b/7", "http://b/2"]}


def tgz(data, name="fall11_urls.txt"):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


@pytest.mark.parametrize("pack", [bytes, gzip.compress, tgz], ids=["plain", "gzip", "tgz"])
def test_synsets_are_found_among_others(pack, tmp_path):
    assert read(pack(MIXED), BOTH, tmp_path=tmp_path) == FOUND


@pytest.mark.parametrize("block", [40, 64, 1000])
def test_lines_may_lie_across_blocks(block, monkeypatch, tmp_path):
    monkeypatch.setattr(url_lists, "BLOCK", block)
    monkeypatch.setattr(url_lists, "HEAD", 30)
    assert read(MIXED, BOTH, tmp_path=tmp_path) == FOUND


@examples(60)
@given(
    st.lists(
        st.tuples(st.sampled_from([SHIP, BIKE, "n00000001"]), st.integers(0, 10**6)), min_size=1
    ),
    st.integers(48, 300),
    st.booleans(),
)
def test_scanning_blocks_finds_what_reading_lines_finds(entries, block, windows):
    end = b"\r\n" if windows else b"\n"
    data = b"".join(b"%s_%d\thttp://x/%d%s" % (w.encode(), n, n, end) for w, n in entries)
    kept = url_lists.BLOCK, url_lists.HEAD
    url_lists.BLOCK, url_lists.HEAD = block, 47
    try:
        found = grouped(io.BytesIO(data), frozenset({SHIP, BIKE}))
    finally:
        url_lists.BLOCK, url_lists.HEAD = kept
    for wnid in (SHIP, BIKE):
        assert found.get(wnid, []) == [f"http://x/{n}" for w, n in entries if w == wnid]


@pytest.mark.parametrize(
    "bad", ['"http://a.example/bad.jpg,ship', f"{URLS[0]}{'x' * 200_000},ship", "ship", '"', "a,b"]
)
def test_a_line_that_is_no_csv_is_left_out_and_the_rest_is_read(bad, tmp_path):
    rest = [f"http://a.example/{number}.jpg" for number in range(10_000)]
    for header, end in (("url,label", ",ship"), ("label,url", "")):
        lines = [f"{url}{end}" if end else f"ship,{url}" for url in rest]
        text = "\n".join([header, lines[0], bad, *lines[1:]])
        assert read(text.encode(), tmp_path=tmp_path) == {"ship": rest}


def test_a_stray_quote_joins_no_lines_where_there_are_no_classes(tmp_path):
    text = f'url\n{URLS[0]}\n"{URLS[1]}\n"{URLS[2]}" \n'
    assert read(text.encode(), tmp_path=tmp_path) == {"ship": URLS}


def test_bytes_that_are_no_utf8_are_quoted_and_utf8_is_kept(tmp_path):
    data = f"{SHIP}_1\thttp://a/caf\xe9.jpg\n".encode("latin-1") + f"{SHIP}_2\thttp://a/é".encode()
    assert read(data, tmp_path=tmp_path) == {"ship": ["http://a/caf%E9.jpg", "http://a/é"]}
    html = b"<p>http://a/caf\xe9.jpg</p>"
    assert read(html, tmp_path=tmp_path) == {"ship": ["http://a/caf%E9.jpg"]}


def test_a_list_without_synsets_serves_one_class_only(tmp_path):
    with pytest.raises(SourceMissing, match="serves one class"):
        read(b"http://a/1\n", BOTH, tmp_path=tmp_path)


@pytest.mark.parametrize(
    "data",
    [b"", b"The synset is not ready yet. Please stay tuned!", b"<html>404</html>",
     b"n01440764_1\thttp://x/1\n", b"url,label\nhttp://a/1,dog\n",
     b"<html><a href='http://image-net.org/about'>About</a></html>"],
)  # fmt: skip
def test_a_synset_that_is_not_in_the_list_is_an_error_that_says_so(data, tmp_path):
    with pytest.raises(SourceMissing, match=f"{SHIP} \\(ship\\)"):
        read(data, tmp_path=tmp_path)


def test_no_such_file(tmp_path):
    with pytest.raises(SourceMissing, match=r"source\.url_list"):
        addresses(tmp_path / "none.txt", BOTH)


@pytest.mark.parametrize("pack", [gzip.compress, tgz])
def test_a_broken_gzip_is_an_error_that_says_so(pack, tmp_path):
    data = pack(MIXED + bytes(range(256)) * 50)
    with pytest.raises(SourceDamaged, match="Fetch it again"):
        read(data[: len(data) // 2], tmp_path=tmp_path)


def test_one_endless_line_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(url_lists, "BLOCK", 1000)
    with pytest.raises(SourceDamaged, match="without a line end"):
        read(MIXED + b"\n" + b"x" * 70_000, tmp_path=tmp_path)
