"""`darkroom inspect` on 100,000 files: names and headers alone, in seconds and little memory.

A folder of class folders with a label table beside them, and the same files in one zip, are made of
100,000 tiny files. The peer is the bare walk: `os.walk` with a `stat` of each file, and reading the
zip's list of entries.
"""

import csv
import sys
import tempfile
import zipfile
from pathlib import Path

from benchmarks.measuring import run, write

FILES = 100_000
CLASSES = 100
DARKROOM = [sys.executable, "-m", "flows"]
WALK = "import os,sys\nfor r,d,f in os.walk(sys.argv[1]):\n for n in f: os.stat(os.path.join(r,n))"
ENTRIES = "import sys,zipfile\nlen(zipfile.ZipFile(sys.argv[1]).infolist())"
PICTURE = b"\x89PNG\r\n\x1a\n"


def main() -> None:
    """Make the files, then look at them in both forms, beside the peer."""
    with tempfile.TemporaryDirectory() as place:
        folder, packed = Path(place) / "pictures", Path(place) / "pictures.zip"
        _make(folder, packed)
        home = {"DARKROOM_HOME": f"{place}/workspace"}
        results = {}
        for name, path, peer in (("folder", folder, WALK), ("zip", packed, ENTRIES)):
            bare = run([sys.executable, "-c", peer, str(path)], **home)
            ours = run([*DARKROOM, "inspect", str(path)], **home)
            results[name] = {
                "files": FILES,
                "seconds": round(ours.seconds, 2),
                "peer_seconds": round(bare.seconds, 2),
                "peak_megabytes": round(ours.peak_megabytes),
            }
            print(f"{name:>7}: {ours.seconds:.1f} s, {ours.peak_megabytes:.0f} MB; "
                  f"the bare list {bare.seconds:.1f} s")  # fmt: skip
    write("inspecting", results)


def _make(folder: Path, packed: Path) -> None:
    names = [f"class-{i % CLASSES:03}/{i:06}.png" for i in range(FILES)]
    for number in range(CLASSES):
        (folder / f"class-{number:03}").mkdir(parents=True)
    for name in names:
        (folder / name).write_bytes(PICTURE)
    with (folder / "labels.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "label", "split"])
        writer.writerows(
            (name, name[:9], "test" if i % 5 else "train") for i, name in enumerate(names)
        )
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name in names:
            archive.writestr(name, PICTURE)
        archive.write(folder / "labels.csv", "labels.csv")
