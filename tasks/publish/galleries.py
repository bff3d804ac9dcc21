"""Which pictures the page shows, in which order, and what it says of each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from storage.statuses import IGNORED, REJECTED, Status
from tasks.clean import odd_pictures
from tasks.evaluate.close_up.neighbours import Neighbour
from tasks.evaluate.curves import Predicted
from tasks.evaluate.shortcuts import Shortcut
from tasks.publish.wording import percent

SHOWN = 60
GROUPS_SHOWN = 12
PER_GROUP = 6


@dataclass(frozen=True)
class Tile:
    """One picture: its stored name ('' if no bytes are kept), text alternative and what is said.

    With its `label` a person may mark it; '' is of what no correction would help.
    """

    image: str
    name: str
    alternative: str
    lines: tuple[str, ...]
    label: str = ""


@dataclass(frozen=True)
class Gallery:
    """Some of `total` pictures."""

    tiles: list[Tile]
    total: int


def errors(table: pd.DataFrame) -> Gallery:
    """What the model got wrong, the most confident first."""
    wrong = table[~table["correct"]].sort_values(
        ["probability", "name"], ascending=[False, True], kind="stable"
    )
    return Gallery([_predicted(row) for row in records(wrong.head(SHOWN))], len(wrong))


def uncertain(table: pd.DataFrame, predicted: Predicted) -> Gallery:
    """The pictures on which the two likeliest classes lie closest together, closest first.

    At most a quarter of them all: the rest is not what a model is most uncertain of.
    """
    top = np.sort(predicted.probabilities, axis=1)[:, -2:]
    shown = min(SHOWN, max(1, len(table) // 4))
    order = np.argsort(top[:, 1] - top[:, 0], kind="stable")[:shown]
    second = predicted.probabilities.argsort(axis=1, kind="stable")[:, -2]
    tiles = []
    for position, row in zip(order, records(table.iloc[order]), strict=True):
        other = predicted.classes[second[position]]
        runner_up = f"next {other} {percent(top[position, 0])}"
        tile = _predicted(row)
        tiles.append(replace(tile, lines=(*tile.lines, runner_up)))
    return Gallery(tiles, len(table))


def candidates(table: pd.DataFrame) -> Gallery:
    """Label-error candidates, worst first."""
    tiles = []
    for row in records(table.head(SHOWN)):
        lines = (
            f"label {row['label']} {percent(row['given_probability'])}",
            f"looks like {row['suggested']} {percent(row['suggested_probability'])}",
            f"in {row['split']}",
        )
        alternative = f"{row['name']}: labelled {row['label']}, looks like {row['suggested']}"
        tiles.append(Tile(row["image"], row["name"], alternative, lines, row["label"]))
    return Gallery(tiles, len(table))


def odd(rows: pd.DataFrame) -> list[tuple[str, str, Gallery]]:
    """Kind, bound in words, and the oddest pictures: dark, blurred, nearly empty and so on."""
    found = []
    for kind, bound, part in odd_pictures.odd(rows):
        tiles = [
            Tile(
                row["image"],
                row["name"],
                f"{row['name']}: {kind}",
                (f"label {row['label']}", row["said"]),
                row["label"],
            )
            for row in records(part.head(SHOWN))
        ]
        found.append((kind, bound, Gallery(tiles, len(part))))
    return found


def beside_neighbours(
    tiles: Sequence[Tile], nearest: Mapping[str, Sequence[Neighbour]]
) -> list[list[Tile]]:
    """Each of these pictures that has neighbours, and after it the training pictures like it."""
    return [
        [tile, *(_neighbour(one, tile) for one in nearest[tile.image])]
        for tile in tiles
        if nearest.get(tile.image)
    ]


def _neighbour(one: Neighbour, of: Tile) -> Tile:
    lines = (f"train {one.label}", f"likeness {one.likeness:.2f}")
    said = f"{one.name}: {one.label}, a training picture like {of.name}"
    return Tile(one.image, one.name, said, lines, one.label)


def told_by_facts(shortcut: Shortcut) -> list[Tile]:
    """Pictures whose class facts told that have nothing to do with what they show."""
    return [
        Tile(
            one.image,
            one.name,
            f"{one.name}: {one.label}, told by its {shortcut.kind}",
            (f"label {one.label}", one.said),
            one.label,
        )
        for one in shortcut.examples
    ]


def passed_over(rows: pd.DataFrame) -> list[tuple[str, int, list[tuple[str, str]]]]:
    """What was never meant to be a labelled picture: status, how many, the first names, reasons."""
    found = []
    for status in Status:
        part = rows[rows["status"] == status]
        if status in IGNORED and not part.empty:
            first = part.head(SHOWN)
            named = list(zip(first["name"], first["reason"], strict=True))
            found.append((str(status), len(part), named))
    return found


def rejected(rows: pd.DataFrame) -> list[tuple[str, Gallery]]:
    """What was turned down, by status; label conflicts and duplicates come first."""
    order = [Status.LABEL_CONFLICT, Status.DUPLICATE, *Status]
    found = []
    for status in dict.fromkeys(order):
        part = rows[rows["status"] == status]
        if status in REJECTED and not part.empty:
            tiles = [_turned_down(row) for row in records(part.head(SHOWN))]
            found.append((str(status), Gallery(tiles, len(part))))
    return found


def near_duplicates(split: pd.DataFrame) -> tuple[int, list[list[Tile]]]:
    """How many groups have several pictures, and the largest of them."""
    grouped = split[split["copies"] != ""]
    sizes = grouped["copies"].value_counts()
    several = sizes[sizes > 1]
    shown = []
    for group in several.index[:GROUPS_SHOWN]:
        members = grouped[grouped["copies"] == group].head(PER_GROUP)
        shown.append([_member(row) for row in records(members)])
    return len(several), shown


def records(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Rows as dictionaries."""
    columns = [column for column in table.columns if not str(column).startswith("probability_")]
    yield from table[columns].to_dict("records")  # type: ignore[misc]


def by_cell(table: pd.DataFrame) -> np.ndarray:
    """Positions in the order in which their pictures deserve room.

    Errors come first, then the correct ones in turns by class, the least confident of each first.
    """
    turn = table.sort_values("probability", kind="stable").groupby("label").cumcount()
    rank = np.where(table["correct"], 1 + turn.reindex(table.index), 0)
    return np.lexsort((table["probability"].to_numpy(), rank))


def _predicted(row: dict[str, Any]) -> Tile:
    sure = percent(row["probability"])
    if row["correct"]:
        said = f"{row['label']}, recognised, {sure}"
    else:
        said = f"{row['label']} taken for {row['predicted']}, {sure}"
    lines = (f"true {row['label']}", f"predicted {row['predicted']} {sure}")
    return Tile(row["image"], row["name"], f"{row['name']}: {said}", lines, row["label"])


def _turned_down(row: dict[str, Any]) -> Tile:
    lines = tuple(
        text for text in (row["label"] and f"label {row['label']}", row["reason"]) if text
    )
    label = row["label"] if row["status"] in (Status.LABEL_CONFLICT, Status.THROWN_OUT) else ""
    return Tile(row["image"], row["name"], f"{row['name']}: {row['status']}", lines, label)


def _member(row: dict[str, Any]) -> Tile:
    place = row["split"] or "left out"
    lines = (f"{row['label']}, {place}",)
    alternative = f"{row['name']}: {row['label']}, {place}"
    return Tile(row["image"], row["name"], alternative, lines, row["label"])
