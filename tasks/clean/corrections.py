"""Labels that people corrected in reports: read from their files, and laid over what `clean` has.

A file is a CSV table as the report's page writes it, one row per picture: `image` (the SHA-256 of
its bytes), `name`, `was` (its label then), `verdict` (right, class, out or unsure), `is` (its label
now) and `when`. Of several answers for one picture the latest counts.
"""

import csv
import difflib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from storage import manifests
from storage.errors import ParameterError
from storage.names import one_line
from storage.references import CorrectionsRef
from storage.statuses import Status
from storage.workspace import Workspace

RIGHT, CLASS, OUT, UNSURE = "right", "class", "out", "unsure"
VERDICTS = (RIGHT, CLASS, OUT, UNSURE)
# These say which class it is.
SETTLED = (RIGHT, CLASS)
COLUMNS = ("image", "name", "was", "verdict", "is", "when")
DIGEST = re.compile(r"([0-9a-f]{64})(\.\w+)?")
MOST_BYTES, MOST_ROWS = 256 * 2**20, 1_000_000
# What a spreadsheet would run is written with an apostrophe in front.
FORMULA = re.compile(r"'(?=[=+\-@\t\r])")


class Corrected(NamedTuple):
    """Rows with what people said of them, and what there is to tell of that."""

    rows: pd.DataFrame
    remarks: tuple[str, ...]


def reference(workspace: Workspace, files: Sequence[Path]) -> CorrectionsRef | None:
    """What these files say, by its digest; None without files. Nothing is written.

    ParameterError where one cannot be read as corrections.
    """
    if not files:
        return None
    table = read(files)
    digest = manifests.content_digest(table)
    where = workspace.relative(workspace.manifests / f"{digest}.parquet")
    return CorrectionsRef(digest=digest, where=where, images=len(table))


def keep(workspace: Workspace, files: Sequence[Path]) -> None:
    """Store what `reference` refers to."""
    if files:
        manifests.save(workspace.manifests, read(files))


def read(files: Sequence[Path]) -> pd.DataFrame:
    """A row per picture, sorted: image (64 hexadecimal digits), verdict, label and answers.

    `label` is what it is now, `answers` how many different ones there were.
    """
    rows = [row for number, file in enumerate(files) for row in _rows(file, number)]
    table = pd.DataFrame(rows, columns=["image", "verdict", "label", "when", "place"])
    table = table.sort_values(["image", "when", "place"], kind="stable")
    different = table.drop_duplicates(["image", "verdict", "label"]).groupby("image").size()
    last = table.drop_duplicates("image", keep="last").reset_index(drop=True)
    last["answers"] = last["image"].map(different).astype(int)
    return last[["image", "verdict", "label", "answers"]]


def _rows(file: Path, number: int) -> Iterator[tuple[str, str, str, str, tuple[int, int]]]:
    try:
        if file.stat().st_size > MOST_BYTES:
            raise _no_corrections(file, f"more than {MOST_BYTES:,} bytes")
        with file.open(encoding="utf-8-sig", newline="") as stream:
            table = csv.DictReader(stream)
            if missing := {"image", "verdict"} - set(table.fieldnames or ()):
                raise _no_corrections(file, f"no column {min(missing)}")
            for line, row in enumerate(table, start=2):
                if line > MOST_ROWS:
                    raise _no_corrections(file, f"more than {MOST_ROWS:,} rows")
                yield (*_answer(file, line, row), (number, line))
    except (OSError, UnicodeError, csv.Error) as error:
        raise _no_corrections(file, str(error)) from error


def _answer(file: Path, line: int, row: dict[str, str | None]) -> tuple[str, str, str, str]:
    image, verdict, was, now, when = (
        FORMULA.sub("", (row.get(name) or "").strip())
        for name in ("image", "verdict", "was", "is", "when")
    )
    found = DIGEST.fullmatch(image)
    if found is None:
        raise _no_corrections(file, f"{_shown(image)} as image in line {line}")
    if verdict not in VERDICTS:
        raise _no_corrections(file, f"{_shown(verdict)} as verdict in line {line}")
    label = (now or was) if verdict == RIGHT else now if verdict == CLASS else ""
    if verdict in SETTLED and not label:
        raise _no_corrections(file, f"no class in `is` in line {line}")
    return found[1], verdict, label, when


def _shown(text: str) -> str:
    return repr(one_line(text[:60]))


def _no_corrections(file: Path, found: str) -> ParameterError:
    return ParameterError(
        f"source.corrections: expected a table as a report's page writes it, with the columns "
        f"{', '.join(COLUMNS)} and the verdicts {', '.join(VERDICTS)}, in {file}; found {found}"
    )


def apply(rows: pd.DataFrame, said: pd.DataFrame, *, new_classes: bool = False) -> Corrected:
    """The rows of a collection with corrected labels, and without the pictures thrown out.

    Columns added: `corrected`, the verdict, and `label_was`, both '' for pictures of which nothing
    was said. ParameterError if no picture is among them, or a class is new and may not be.
    """
    digests = rows["image"].str.slice(0, 64)
    here = (rows["status"] == Status.KEPT) & digests.isin(said["image"])
    if not here.any() and len(said):
        raise ParameterError(
            f"source.corrections: none of its {len(said):,} pictures is in this source: is it of "
            "another experiment?"
        )
    known = said.set_index("image").reindex(digests[here])
    classes = set(rows.loc[rows["status"] == Status.KEPT, "label"])
    _require_known(known["label"], classes, new_classes=new_classes)
    table = rows.assign(corrected="", label_was="")
    table.loc[here, "corrected"] = known["verdict"].to_numpy()
    table.loc[here, "label_was"] = table.loc[here, "label"]
    labelled = here & table["corrected"].isin(SETTLED)
    table.loc[labelled, "label"] = known["label"][known["label"] != ""].to_numpy()
    out = table["corrected"] == OUT
    table.loc[out, "status"] = str(Status.THROWN_OUT)
    table.loc[out, "reason"] = "thrown out by a person"
    return Corrected(table, tuple(_remarks(table, said, set(digests[here]))))


def _require_known(wanted: pd.Series, classes: set[str], *, new_classes: bool) -> None:
    new = sorted(set(wanted) - classes - {""})
    if new and not new_classes:
        close = difflib.get_close_matches(new[0], classes, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise ParameterError(
            f"source.corrections: there is no class {_shown(new[0])}{hint}: mend it, or set "
            "source.new_classes=true"
        )


def _remarks(table: pd.DataFrame, said: pd.DataFrame, here: set[str]) -> Iterator[str]:
    """How many labels were changed and so on, in a sentence, and what could not be done."""
    each = table[table["corrected"] != ""].drop_duplicates("image")
    changed = (each["label"] != each["label_was"]) & (each["corrected"] != OUT)
    confirmed = each["corrected"].isin(SETTLED) & ~changed
    counts = {
        "changed": int(changed.sum()),
        "confirmed": int(confirmed.sum()),
        "thrown out": int((each["corrected"] == OUT).sum()),
        "not sure": int((each["corrected"] == UNSURE).sum()),
    }
    told = ", ".join(f"{number:,} {what}" for what, number in counts.items() if number)
    yield f"labels corrected by people: {told or 'none'}"
    if gone := len(said) - len(here):
        yield f"{gone:,} corrections are of pictures that are not, or no longer, in the source"
    twice = int((said.loc[said["image"].isin(here), "answers"] > 1).sum())
    if twice:
        yield f"{twice:,} pictures were answered differently; the latest answer counts"
