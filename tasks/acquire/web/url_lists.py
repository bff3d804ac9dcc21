"""The addresses of a synset, from every form in which such lists exist.

- plain addresses, one a line, LF or CRLF, with or without HTML around them
- `n02834778_63 http://…`, blank or tab between, of one synset or of many
- the fall-2011 list of all of ImageNet: 14 million such lines, not valid UTF-8, in a gzip or tgz
- a CSV with a column of addresses and, optionally, one of synsets or classes
"""

import codecs
import contextlib
import csv
import re
import tarfile
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from gzip import GzipFile
from pathlib import Path
from typing import IO
from urllib.parse import quote_from_bytes

from storage.errors import SourceDamaged, SourceMissing
from tasks.acquire.archives.tars import StrictTarInfo

BLOCK = 4 * 2**20
HEAD = 64 * 1024
# A list whose lines do not begin with synset ids is held in memory as a whole.
MAX_PLAIN_BYTES = 256 * 2**20
GZIP = b"\x1f\x8b"
TAR_MARK, TAR_MARK_AT = b"ustar", 257
MARKED = re.compile(rb"^[a-z]\d{8}_\d+[ \t]+\S", re.MULTILINE)
MARK = re.compile(rb"(?P<wnid>[a-z]\d{8})_\d+[ \t]+(?P<address>\S.*)")
TAG = re.compile(rb"<\s*(!doctype|html|head|body|pre|p|br|a|div|table|td|li|ul)\b", re.IGNORECASE)
ADDRESS = re.compile(rb"https?://", re.IGNORECASE)
NOT_ASCII = re.compile(rb"[\x80-\xff]+")
ADDRESS_COLUMNS = ("url", "image_url", "address", "link", "uri")
GROUP_COLUMNS = ("wnid", "synset", "label", "class", "category")
UNREADABLE = (OSError, EOFError, zlib.error, tarfile.TarError)
EXCERPT = 80

# Synset id or class -> addresses in the order of the list; '' for those that name neither.
Groups = dict[str, list[str]]


def addresses(path: Path, synsets: Mapping[str, str]) -> dict[str, list[str]]:
    """Class -> its addresses in the file at `path`, in order; `synsets` is class -> synset id.

    One pass for all synsets; in bounded memory where lines begin with synset ids. SourceMissing
    without the file or without a class in it; SourceDamaged when it cannot be read.
    """
    if not path.is_file():
        raise SourceMissing(
            f"expected a list of addresses at {path}, found none: say where it is with "
            "--set source.url_list=FILE (or an address)"
        )
    try:
        with opened(path) as stream:
            groups = grouped(stream, frozenset(synsets.values()))
    except UNREADABLE as error:
        raise SourceDamaged(
            f"{path} cannot be read ({error}): expected text or CSV, plain or in a gzip or tgz. "
            "Fetch it again"
        ) from error
    return {label: _of_class(groups, label, wnid, synsets, path) for label, wnid in synsets.items()}


def _of_class(
    groups: Groups, label: str, wnid: str, synsets: Mapping[str, str], path: Path
) -> list[str]:
    if found := groups.get(wnid) or groups.get(label.casefold()):
        return found
    unnamed = groups.get("", [])
    if unnamed and len(synsets) == 1:
        return unnamed
    names = ", ".join(repr(name) for name in sorted(groups) if name)[:EXCERPT]
    raise SourceMissing(
        f"expected addresses of {wnid} ({label}) in {path}, found {len(unnamed)} that name no "
        f"class and others for {names or 'none'}. A list without synset ids serves one class: "
        "write {wnid} where their names differ, or add a column wnid or label"
    )


@contextlib.contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The text at `path`, unpacked on the way if it is a gzip or tgz."""
    with path.open("rb") as file, contextlib.ExitStack() as stack:
        is_gzip = file.read(2) == GZIP
        file.seek(0)
        if not is_gzip:
            yield file
            return
        unpacked = stack.enter_context(GzipFile(fileobj=file))
        start = unpacked.read(512)
        unpacked.seek(0)
        if start.startswith(TAR_MARK, TAR_MARK_AT):
            yield stack.enter_context(_member(path, file))
        else:
            yield unpacked  # type: ignore[misc]  # a GzipFile reads like any binary file


def _member(path: Path, file: IO[bytes]) -> IO[bytes]:
    """The first text of a tgz; it is not unpacked to disk."""
    file.seek(0)
    archive = tarfile.open(  # noqa: SIM115
        fileobj=file, mode="r|gz", bufsize=BLOCK // 4, tarinfo=StrictTarInfo
    )
    for entry in archive:
        if entry.isfile() and not entry.name.rpartition("/")[2].startswith("."):
            stream = archive.extractfile(entry)
            assert stream is not None  # it is a regular file
            return stream
    raise SourceDamaged(f"{path}: expected a list in this tgz, found no file")


def grouped(stream: IO[bytes], wnids: frozenset[str]) -> Groups:
    """The addresses in a list of any form; of marked lines only those of `wnids` are kept."""
    head = stream.read(HEAD).removeprefix(codecs.BOM_UTF8)
    if MARKED.search(head) and not TAG.search(head):
        return _of_marked_lines(head, stream, wnids)
    data = head + stream.read(MAX_PLAIN_BYTES)
    if stream.read(1):
        raise SourceDamaged(
            f"expected a list of at most {MAX_PLAIN_BYTES:,} bytes, found more, and its lines do "
            "not begin with synset ids"
        )
    return _of_lines(lines(data))


def lines(data: bytes) -> list[bytes]:
    """The lines of a list without blank ones; tags, if there are any, are taken away."""
    if TAG.search(data):
        from bs4 import BeautifulSoup

        # Only now: in plain text '&copy=1' is part of an address, in HTML it is a sign.
        soup = BeautifulSoup(data.decode("utf-8", "surrogateescape"), "html.parser")
        data = soup.get_text("\n").encode("utf-8", "surrogateescape")
    return [line for line in (line.strip() for line in data.splitlines()) if line]


def _of_lines(found: list[bytes]) -> Groups:
    if found and (columns := _columns(found[0])):
        return _of_table(found, *columns)
    groups: Groups = defaultdict(list)
    for line in found:
        if match := MARK.match(line):
            groups[match["wnid"].decode()].append(as_text(match["address"]))
        elif ADDRESS.match(line):
            groups[""].append(as_text(line))
    return groups


def _columns(first: bytes) -> tuple[str, int, int | None] | None:
    """Delimiter and places of address and group in a CSV's header; None if it is none."""
    for delimiter in (",", ";", "\t"):
        names = [name.strip(" \"'").lower() for name in first.decode("latin-1").split(delimiter)]
        where = [names.index(name) for name in ADDRESS_COLUMNS if name in names]
        group = [names.index(name) for name in GROUP_COLUMNS if name in names]
        if where:
            return delimiter, where[0], group[0] if group else None
    return None


def _of_table(found: list[bytes], delimiter: str, where: int, group: int | None) -> Groups:
    groups: Groups = defaultdict(list)
    for line in found[1:]:
        row = _cells(line.decode("utf-8", "surrogateescape"), delimiter)
        if len(row) > max(where, group or 0):
            name = "" if group is None else row[group].strip()
            address = row[where].strip().encode("utf-8", "surrogateescape")
            groups[name.casefold()].append(as_text(address))
    return groups


def _cells(line: str, delimiter: str) -> list[str]:
    """The cells of one line; none of a line that is no CSV."""
    try:
        # Each line by itself: a stray quote must not take the rest of the list with it.
        return next(csv.reader([line], delimiter=delimiter))
    except csv.Error:
        return []


def _of_marked_lines(head: bytes, stream: IO[bytes], wnids: frozenset[str]) -> Groups:
    groups: Groups = defaultdict(list)
    marks = [(wnid, b"\n" + wnid.encode() + b"_") for wnid in sorted(wnids)]
    for block in _whole_lines(head, stream):
        for wnid, mark in marks:
            start = block.find(mark)
            while start >= 0:
                end = block.index(b"\n", start + 1)
                if match := MARK.match(block, start + 1, end):
                    groups[wnid].append(as_text(match["address"]))
                start = block.find(mark, end)
    return groups


def _whole_lines(head: bytes, stream: IO[bytes]) -> Iterator[bytes]:
    """The stream in blocks that begin and end with a line end, the next one's first being both."""
    rest = b"\n" + head
    while block := stream.read(BLOCK):
        whole, line_end, tail = block.rpartition(b"\n")
        if not line_end:
            raise SourceDamaged(f"expected lines, found {BLOCK:,} bytes without a line end")
        yield rest + whole + line_end
        rest = line_end + tail
    yield rest + b"\n"


def as_text(address: bytes) -> str:
    """The address as text: UTF-8 where it is that, else its odd bytes are percent-encoded."""
    address = address.strip()
    try:
        return address.decode()
    except UnicodeDecodeError:
        return NOT_ASCII.sub(lambda odd: quote_from_bytes(odd[0]).encode(), address).decode()
