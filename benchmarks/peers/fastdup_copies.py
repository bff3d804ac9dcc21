"""fastdup's way of finding copies: pairs of pictures and their similarity, as CSV.

Run by a Python that has fastdup 2.54 (`pip install fastdup==2.54` in an environment of its own):
python fastdup_copies.py FOLDER OUT.csv
"""

import csv
import os
import sys
import tempfile
from pathlib import Path

import fastdup

LEAST = 0.7


def main(folder: str, out: str) -> None:
    """Pairs that are more alike than LEAST, by fastdup's own embedding."""
    with tempfile.TemporaryDirectory() as work:
        run = fastdup.create(work_dir=work, input_dir=folder)
        run.run(threshold=LEAST, ccthreshold=0.96, overwrite=True)
        table = run.similarity()[["filename_from", "filename_to", "distance"]]
        with Path(out).open("w", newline="") as file:
            rows = csv.writer(file)
            for one, other, similarity in table.itertuples(index=False):
                names = os.path.relpath(one, folder), os.path.relpath(other, folder)
                rows.writerow([*names, f"{similarity:.6f}"])


if __name__ == "__main__":
    main(*sys.argv[1:])
