"""Edited copies found, beside fastdup: eighteen kinds of edits on three data sets.

Copies of random pictures are mixed in, edited at random (edits.py; the seed is this file's own).
`darkroom run my-pictures --until split` then has to join each with its original and keep it in the
same split. What is joined and has different originals is counted as wrong, unless it is in
`true_copies.json`: pairs of the data sets themselves that are the same picture (those that only the
hashes joined were not looked at one by one).
`beyond_extract` is what finding them costs beyond embedding the pictures, as a share of that.
Needs the pictures beside the project; fastdup with FASTDUP=/path/to/its/python. Ten minutes.
"""

import csv
import json
import os
import re
import shutil
import sys
import tempfile
import zipfile
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.measuring import FOLDER, SHARED, run, write
from benchmarks.quality import edits
from tasks.clean import duplicate_groups
from tasks.pictures.decoding import Problem, decode

SEED = 20_261_130
PER_KIND = {"cats-and-dogs": 60, "caltech-101": 60, "pokedex": 30}
PETS = SHARED / "data" / "dogs-vs-cats" / "dogs-vs-cats.zip"
FIRST_PETS = 1000
TRUE_COPIES = Path(__file__).parent / "true_copies.json"
FASTDUP = FOLDER / "peers" / "fastdup_copies.py"
THRESHOLDS = (0.98, 0.96, 0.94, 0.92, 0.9, 0.88, 0.86, 0.84, 0.82, 0.8)
SUFFIXES = (".jpg", ".jpeg", ".png")


def pictures(name: str) -> dict[str, bytes]:
    """A data set's pictures by `class/file`; of several with the same bytes the first."""
    found: dict[str, bytes] = {}
    if name == "cats-and-dogs":
        with zipfile.ZipFile(PETS) as outer, zipfile.ZipFile(outer.open("train.zip")) as inner:
            for member in sorted(inner.namelist()):
                match = re.search(r"(cat|dog)\.(\d+)\.jpg$", member)
                if match and int(match[2]) <= FIRST_PETS:
                    found[f"{match[1]}/{match[1]}.{match[2]}.jpg"] = inner.read(member)
    else:
        for path in sorted((SHARED / "data" / name).glob("*/*")):
            if path.suffix in SUFFIXES:
                found[f"{path.parent.name}/{path.name}"] = path.read_bytes()
    return dict({data: (key, data) for key, data in reversed(found.items())}.values())


def mix(name: str, folder: Path) -> dict[str, tuple[str, str]]:
    """Write pictures and copies; (kind, original) by the copy's `class/file`."""
    originals = pictures(name)
    draw = np.random.default_rng(SEED)
    for key, data in originals.items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    order = iter(draw.permutation(sorted(originals)))
    copies = {}
    for kind, edit in edits.EDITS.items():
        for number in range(PER_KIND[name]):
            key = str(next(order))
            pixels = decode(originals[key])
            if isinstance(pixels, Problem):
                continue
            copy = f"{key.split('/')[0]}/copy-{kind.replace(' ', '-')}-{number}.jpg"
            edits.save(folder / copy, edit(pixels, draw), draw)
            copies[copy] = kind, key
    return copies


def darkroom(folder: Path, home: Path, *settings: str) -> dict[str, Any]:
    """What a run until `extract` says, in a workspace of its own."""
    words = [word for setting in settings for word in ("--set", setting)]
    command = [
        sys.executable, "-m", "flows", "run", "my-pictures", "--until", "extract", "--json",
        "--set", f"source.folder={folder}", *words,
    ]  # fmt: skip
    done = run(command, DARKROOM_HOME=str(home))
    said: dict[str, Any] = json.loads(done.output.strip().splitlines()[-1])
    return said


def groups_of(home: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Group and split of each picture by `class/file`."""
    tables = [pd.read_parquet(path) for path in (home / "manifests").glob("*.parquet")]
    images = next(table for table in tables if "copy_of" in table)
    split = next(table for table in tables if "split" in table and "status" not in table)
    known = images[images["copies"] != ""].set_index("image")["copies"]
    places = split.set_index("image")["split"]
    group = dict(zip(images["name"], images["image"].map(known).fillna(""), strict=True))
    place = dict(zip(images["name"], images["image"].map(places).fillna(""), strict=True))
    return group, place


def fastdup_groups(folder: Path, python: str) -> dict[float, dict[str, str]]:
    """Fastdup's groups at each threshold."""
    with tempfile.TemporaryDirectory() as work:
        out = Path(work) / "pairs.csv"
        run([python, str(FASTDUP), str(folder), str(out)])
        with out.open() as file:
            pairs = [(a, b, float(value)) for a, b, value in csv.reader(file)]
    names = [str(path.relative_to(folder)) for path in folder.glob("*/*")]
    places = {name: place for place, name in enumerate(names)}
    found = {}
    for threshold in THRESHOLDS:
        near = [(places[a], places[b]) for a, b, value in pairs if value >= threshold]
        joined = duplicate_groups.joined(
            np.arange(len(names)), [np.array(near, int).reshape(-1, 2).T]
        )
        found[threshold] = dict(zip(names, map(str, joined), strict=True))
    return found


def judged(
    group: dict[str, str], copies: dict[str, tuple[str, str]], true: set[frozenset[str]]
) -> dict[str, Any]:
    """Copies joined with their original, in all and by kind; wrong pairs of originals."""
    by_kind = defaultdict(list)
    for copy, (kind, original) in copies.items():
        by_kind[kind].append(bool(group[copy]) and group[copy] == group[original])
    members = defaultdict(set)
    for name, number in group.items():
        if number:
            members[number].add(copies.get(name, ("", name))[1])
    wrong = _wrong(members.values(), true)
    total = [one for found in by_kind.values() for one in found]
    return {
        "found": round(float(np.mean(total)), 4),
        "by_kind": {kind: round(float(np.mean(found)), 3) for kind, found in by_kind.items()},
        "wrong_pairs": len(wrong),
        "wrong_pairs_per_1000": round(1000 * len(wrong) / len(group), 2),
        "wrong": [" ".join(pair) for pair in wrong[:40]],
    }


def _wrong(groups: Any, true: set[frozenset[str]]) -> list[tuple[str, str]]:
    """One pair for each picture too many in a group, once known copies are taken as one."""
    found = []
    for members in groups:
        parts: list[set[str]] = []
        for name in sorted(members):
            near = [part for part in parts if any(frozenset((name, one)) in true for one in part)]
            parts = [part for part in parts if part not in near] + [{name}.union(*near)]
        first = [min(part) for part in parts]
        found += list(pairwise(first))
    return found


def measured(name: str, folder: Path, true: set[frozenset[str]]) -> dict[str, Any]:
    """One data set."""
    copies = mix(name, folder)
    with tempfile.TemporaryDirectory() as work:
        plain = darkroom(folder, Path(work) / "plain", "clean.copies=resaved")
        edited = darkroom(folder, Path(work) / "edited")
        group, place = groups_of(Path(work) / "edited")
    seconds = [{step["name"]: step["seconds"] for step in one["steps"]} for one in (plain, edited)]
    both = [one["clean"] + one["extract"] for one in seconds]
    found = judged(group, copies, true)
    apart = [copy for copy, (_, original) in copies.items() if place[copy] != place[original]]
    missed = [copy for copy, (_, original) in copies.items() if group[copy] != group[original]]
    result = {
        "pictures": len(group),
        "copies": len(copies),
        "darkroom": found,
        "across_splits": len(apart),
        "found_and_across_splits": len(set(apart) - set(missed)),
        "missed": sorted(f"{copy} {copies[copy][1]}" for copy in missed),
        "extract_seconds": round(seconds[0]["extract"], 1),
        "beyond_extract": round((both[1] - both[0]) / seconds[0]["extract"], 2),
    }
    python = os.environ.get("FASTDUP")
    if python:
        result["fastdup"] = {
            str(threshold): {
                key: value
                for key, value in judged(groups, copies, true).items()
                if key in ("found", "wrong_pairs", "by_kind")
            }
            for threshold, groups in fastdup_groups(folder, python).items()
        }
    return result


def main() -> None:
    """Every data set."""
    if not PETS.is_file():
        print(f"skipped: needs {PETS}")
        return
    known = json.loads(TRUE_COPIES.read_text())
    results = {}
    for name in PER_KIND:
        folder = Path(tempfile.mkdtemp(prefix="copies-"))
        try:
            true = {frozenset(pair) for pair in known.get(name, [])}
            results[name] = measured(name, folder, true)
        finally:
            shutil.rmtree(folder)
    write("copies", results)


if __name__ == "__main__":
    main()
