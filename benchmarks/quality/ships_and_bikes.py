"""The experiment ships-and-bikes with pictures that a local server gives: no promise of speed.

ImageNet's own lists and pictures are gone from the web. A server on the loopback interface stands
in for them: a list per synset, the pictures beside it (ships and motorbikes of Caltech-101). Takes
the experiment's settings as they are; further ones may be given as NAME=VALUE.
"""

import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from benchmarks.measuring import SHARED, experiment, write

PICTURES = SHARED / "data" / "ships-and-motorbikes"
SYNSETS = {"n04194289": "ships", "n02834778": "motorbikes"}


class Quiet(SimpleHTTPRequestHandler):
    """Files of a folder, without a line per request."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address under which the files of `folder` are found."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def write_lists(folder: Path, address: str) -> None:
    """A list of addresses per synset, as ImageNet had them."""
    for wnid, name in SYNSETS.items():
        paths = sorted((PICTURES / name).iterdir())
        lines = "\r\n".join(f"{address}/pictures/{name}/{path.name}" for path in paths)
        (folder / f"{wnid}.txt").write_text(lines)


@contextmanager
def source() -> Iterator[tuple[str, ...]]:
    """The settings of the experiment's source, while the server stands."""
    with tempfile.TemporaryDirectory() as scratch, served(Path(scratch)) as address:
        (Path(scratch) / "pictures").symlink_to(PICTURES)
        write_lists(Path(scratch), address)
        yield f"source.url_list={address}/{{wnid}}.txt", "source.allow_private_addresses=true"


def main(settings: tuple[str, ...] = ()) -> None:
    """Validation accuracy, mean and each seed."""
    if not PICTURES.exists():
        print(f"skipped: needs {PICTURES}")
        return
    with source() as given:
        result = experiment("ships-and-bikes", *given, *settings)
    found = {name: part["accuracy"] for name, part in result["metrics"].items()}
    write("ships_and_bikes", {"counts": result["counts"], "accuracy": found})


if __name__ == "__main__":
    main(tuple(sys.argv[1:]))
