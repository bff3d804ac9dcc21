"""Which pictures a report looks at closely: always the same ones for the same predictions."""

import numpy as np
import pandas as pd

from storage.errors import ParameterError
from storage.references import SPLITS
from tasks.acquire.natural_order import natural_key

DRAWN_AT_RANDOM = 8
MOST_ERRORS = 24
SEED = 8


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """The rows whose pictures a report shows: test, or the last split that has any."""
    there = set(table["split"])
    return table[table["split"] == next(name for name in reversed(SPLITS) if name in there)]


def picture(table: pd.DataFrame, name: str | None) -> str:
    """Stored name of the picture called `name`; without one, the first shown in natural order.

    `name` is that of the file it came from, with or without its folder, or its stored name; the
    first of several. ParameterError if there is none.
    """
    rows = shown(table) if name is None else table[_called(table, name)]
    if rows.empty:
        examples = ", ".join(sorted(shown(table)["name"], key=natural_key)[:3])
        raise ParameterError(
            f"look.picture: expected the name of one of {len(table)} pictures ({examples}, …), "
            f"found {name!r}"
        )
    first = min(rows.index, key=lambda row: natural_key(rows["name"][row]))
    return str(rows["image"][first])


def _called(table: pd.DataFrame, name: str) -> pd.Series:
    file_name = table["name"].str.rpartition("/")[2]
    return (table["name"] == name) | (file_name == name) | (table["image"] == name)


def eight(predictions: pd.DataFrame) -> list[str]:
    """Stored names of DRAWN_AT_RANDOM shown pictures, drawn with a seed of their own."""
    images = shown(predictions)["image"].sort_values().to_numpy()
    drawn = np.random.default_rng(SEED).permutation(len(images))[:DRAWN_AT_RANDOM]
    return [str(image) for image in images[drawn]]


def confident_errors(predictions: pd.DataFrame) -> list[str]:
    """Stored names of the wrong shown pictures, the most confident first, up to MOST_ERRORS."""
    rows = shown(predictions)
    wrong = rows[~rows["correct"]].sort_values(
        ["probability", "name"], ascending=[False, True], kind="stable"
    )
    return [str(image) for image in wrong["image"].head(MOST_ERRORS)]


def looked_at(predictions: pd.DataFrame) -> list[str]:
    """Both: those that are looked at closely, each once."""
    return list(dict.fromkeys([*confident_errors(predictions), *eight(predictions)]))
