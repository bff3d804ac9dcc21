"""Pictures that stand for one that is gone: known ones, and ones that give themselves away."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable
from posixpath import basename
from urllib.parse import urlsplit

from storage.ledger import Download

# (bytes, MD5) -> what it is. Flickr's "This photo is no longer available", a PNG, is listed with
# this sum in many public cleaners of ImageNet's lists; a tenth of their addresses led to it.
KNOWN = {(2051, "880a7a58e05d3e83797f27573bb6d35c"): "Flickr's 'photo is no longer available'"}
FEWEST_ADDRESSES = 3


def known(data: bytes, table: dict[tuple[int, str], str] = KNOWN) -> str:
    """What these bytes are the placeholder of; '' if they are none that is known."""
    if not any(size == len(data) for size, _ in table):
        return ""
    return table.get((len(data), hashlib.md5(data, usedforsecurity=False).hexdigest()), "")


def unmasked(rows: Iterable[tuple[str, Download]]) -> dict[str, str]:
    """Image name -> reason, for pictures that unrelated addresses of different classes returned.

    `rows` are (class, download) with an image. Addresses are unrelated if their file names differ:
    a mirror or another size of the same site keeps the name. Two such addresses may still be one
    photograph that fits two classes; FEWEST_ADDRESSES and more are a placeholder.
    """
    classes: dict[str, set[str]] = defaultdict(set)
    names: dict[str, set[str]] = defaultdict(set)
    for label, row in rows:
        classes[row.image].add(label)
        names[row.image].add(_file_name(row.url))
    return {
        image: f"{len(names[image])} unrelated addresses in {len(found)} classes gave this picture"
        for image, found in classes.items()
        if _is_placeholder(found, names[image])
    }


def _is_placeholder(classes: Collection[str], names: Collection[str]) -> bool:
    return len(classes) > 1 and len(names) >= FEWEST_ADDRESSES


def _file_name(url: str) -> str:
    parts = urlsplit(url)
    return f"{basename(parts.path)}?{parts.query}".lower()
