"""Packages of a lock that advisories name: `python -m deployments.advisories LOCK FILE…`.

For machines without the internet, where `make audit` has nobody to ask. A FILE is an advisory in
the OSV format, or a zip of such, as https://osv.dev has one of every package index ("all.zip").
"""

import json
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

ECOSYSTEM = "PyPI"
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)
MOST_BYTES = 1 << 24


class Weakness(NamedTuple):
    """An advisory that names a package at the version of the lock."""

    package: str
    version: str
    advisory: str
    summary: str


def known(lock: Path, files: list[Path]) -> list[Weakness]:
    """Those of the packages in `lock`; ValueError where a file holds no advisory."""
    versions = {canonicalize_name(name): text for name, text in PINNED.findall(lock.read_text())}
    found = set()
    for advisory in (one for file in files for one in _advisories(file)):
        if advisory.get("withdrawn"):
            continue
        for affected in advisory.get("affected", []):
            package = affected.get("package", {})
            name = canonicalize_name(str(package.get("name", "")))
            if package.get("ecosystem") != ECOSYSTEM or name not in versions:
                continue
            if _is_affected(affected, versions[name]):
                said = str(advisory.get("summary") or advisory.get("details") or "")
                first = said.strip().partition("\n")[0][:100]
                found.add(Weakness(name, versions[name], str(advisory["id"]), first))
    return sorted(found)


def _advisories(file: Path) -> Iterator[dict[str, Any]]:
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            for entry in archive.infolist():
                if entry.filename.endswith(".json") and entry.file_size <= MOST_BYTES:
                    yield _advisory(archive.read(entry), f"{file}/{entry.filename}")
    else:
        yield _advisory(file.read_bytes(), str(file))


def _advisory(data: bytes, where: str) -> dict[str, Any]:
    found = json.loads(data)
    if not isinstance(found, dict) or "id" not in found:
        raise ValueError(f"expected an advisory in the OSV format in {where}, found none")
    return found


def _is_affected(affected: dict[str, Any], text: str) -> bool:
    """Whether it is one of the versions named, or lies in a range, as OSV's schema has it."""
    if text in affected.get("versions", []):
        return True
    version = Version(text)
    ranges = [one for one in affected.get("ranges", []) if one.get("type") == "ECOSYSTEM"]
    return any(_lies_in(one.get("events", []), version) for one in ranges)


def _lies_in(events: list[dict[str, str]], version: Version) -> bool:
    """Events in order of versions open and close the range; the last ones not above it count."""
    inside = False
    for _, kind, bound in sorted(_ordered(events), key=lambda one: one[0]):
        if kind == "introduced" and version >= bound:
            inside = True
        elif (kind == "fixed" and version >= bound) or (
            kind == "last_affected" and version > bound
        ):
            inside = False
    return inside


def _ordered(events: list[dict[str, str]]) -> Iterator[tuple[Version, str, Version]]:
    for event in events:
        for kind, text in event.items():
            try:
                bound = Version("0.dev0" if text == "0" else text)
            except InvalidVersion:
                continue
            yield bound, kind, bound


def main(words: list[str]) -> int:
    """A line for each weakness; 1 if there is one, 2 for wrong words."""
    if len(words) < 2:
        print("usage: python -m deployments.advisories LOCK FILE…", file=sys.stderr)
        return 2
    lock, *files = map(Path, words)
    found = known(lock, files)
    for one in found:
        print(f"{one.package} {one.version}: {one.advisory} {one.summary}")
    print(f"{len(found)} known weaknesses in {lock}, by {len(files)} files", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
