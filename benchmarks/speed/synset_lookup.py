"""Two synsets' addresses in a list like ImageNet's of fall 2011: 14 million lines in a tgz.

`python -m benchmarks synset_lookup` makes the list in build/benchmarks (or in $BENCHMARK_CACHE; a
minute, 290 MB), looks the synsets up in a process of its own, and compares with `tar | grep` for
one of them.
"""

import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measuring import PROJECT, run, write

CACHE = Path(os.environ.get("BENCHMARK_CACHE") or PROJECT / "build" / "benchmarks")
LINES = 14_000_000
PER_SYNSET = 640
WANTED = {"ship": "n04194289", "bicycle": "n02834778"}
RUNS = 3
GOAL = {"seconds": 20, "megabytes": 200}

LOOKUP = """
import json, sys
from pathlib import Path
from tasks.acquire.web.url_lists import addresses
found = addresses(Path(sys.argv[1]), json.loads(sys.argv[2]))
print(json.dumps({label: len(some) for label, some in found.items()}))
"""


def wnids() -> list[str]:
    """As many synset ids as the list needs, the wanted ones among them, sorted."""
    rng = random.Random(11)  # noqa: S311 - test data
    numbers = rng.sample(range(1_000_000, 15_300_000), LINES // PER_SYNSET - len(WANTED))
    return sorted({*(f"n{number:08d}" for number in numbers), *WANTED.values()})


def blocks() -> Iterator[bytes]:
    """The lines of one synset after the other; a few hold bytes that are no UTF-8."""
    rng = random.Random(12)  # noqa: S311 - test data
    for wnid in wnids():
        parts = []
        for number in range(PER_SYNSET):
            farm, photo, secret = rng.randrange(1, 5), rng.randrange(10**9), rng.randrange(16**10)
            odd = "\xe9" if number % 97 == 0 else ""
            place = f"http://farm{farm}.static.flickr.com/{photo % 4000}/{photo}_{secret:010x}{odd}"
            parts.append(f"{wnid}_{number}\t{place}.jpg\n")
        yield "".join(parts).encode("latin-1")


def make(path: Path) -> None:
    """Write the tgz, unless it is there."""
    if path.exists():
        return
    text = path.with_suffix(".txt")
    with text.open("wb") as stream:
        for block in blocks():
            stream.write(block)
    half = path.with_suffix(".half")
    with tarfile.open(half, "w:gz", compresslevel=3) as archive:
        archive.add(text, "fall11_urls.txt")
    text.unlink()
    half.replace(path)


def grep(path: Path) -> float | None:
    """Seconds that `tar -xzOf … | grep` takes for one synset; None where they are missing."""
    if not (shutil.which("tar") and shutil.which("grep")):
        return None
    began = time.perf_counter()
    with subprocess.Popen(["tar", "-xzOf", path], stdout=subprocess.PIPE) as unpacked:
        pattern = f"^{WANTED['ship']}_"
        subprocess.run(
            ["grep", "-a", pattern], stdin=unpacked.stdout, stdout=subprocess.DEVNULL, check=True,
            env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
    return time.perf_counter() - began


def main() -> None:
    """The median of RUNS look-ups, each a process from its start to its end."""
    CACHE.mkdir(parents=True, exist_ok=True)
    path = CACHE.resolve() / "fall11_urls.tgz"
    make(path)
    command = [sys.executable, "-c", LOOKUP, str(path), json.dumps(WANTED)]
    runs = [run(command) for _ in range(RUNS)]
    found = json.loads(runs[0].output)
    assert found == dict.fromkeys(WANTED, PER_SYNSET), found
    peer = grep(path)
    result = {
        "lines": LINES,
        "bytes": path.stat().st_size,
        "synsets": len(WANTED),
        "seconds": round(statistics.median(one.seconds for one in runs), 2),
        "peak_megabytes": round(max(one.peak_megabytes for one in runs), 1),
        "tar_and_grep_seconds": None if peer is None else round(peer, 2),
        "goal": GOAL,
    }
    write("synset_lookup", result)


if __name__ == "__main__":
    main()
