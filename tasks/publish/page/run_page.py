"""The page of one run: report.html, one file that needs nothing else."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from storage.references import SPLITS
from storage.statuses import Status
from tasks.clean.duplicate_groups import CORRELATION, HASH_BITS, HASH_DISTANCE
from tasks.evaluate import curves, slices
from tasks.evaluate.curves import Curve
from tasks.evaluate.metrics import MANY_CLASSES, METRICS, of_predictions, others, wilson
from tasks.publish import copies, galleries, thumbnails
from tasks.publish.figures import to_look_at
from tasks.publish.galleries import Tile
from tasks.publish.inputs import ReportInputs
from tasks.publish.page import (
    charts,
    confusion,
    headline,
    rendering,
    reproducing,
)
from tasks.publish.svg import Chart
from tasks.publish.thumbnails import Album

PAGE_BYTES = 5_000_000
TEMPLATE = "run.html.j2"
Context = dict[str, Any]


def page(inputs: ReportInputs) -> str:
    """The page, at most PAGE_BYTES long: pictures fill what room the rest leaves, errors first."""
    look = to_look_at.section(inputs)
    context = results(inputs) | data(inputs) | reproduction(inputs) | {"look": look}
    context["heat_maps"] = heat_maps(inputs, [*context["errors"].tiles, *look["eight"]])
    wanted = list(dict.fromkeys(_wanted(inputs, context)))
    empty = Album(wanted, {})
    listed = confusion.listed(inputs.shown_predictions(), inputs.classes, empty.numbers)
    context |= {"listed": listed, "page_bytes": PAGE_BYTES}
    bare = rendering.render(TEMPLATE, album=empty, **context)
    room = PAGE_BYTES - len(bare.encode())
    album = Album(wanted, thumbnails.thumbnails(inputs.images, wanted, room))
    return rendering.render(TEMPLATE, album=album, **context)


def results(inputs: ReportInputs) -> Context:
    """What the model can do."""
    table = inputs.shown_predictions()
    predicted = curves.Predicted.of(table, inputs.classes)
    known = inputs.diagnosis
    bins, found = known.calibration, known.slices
    counts = inputs.headline["confusion"]
    both = known.roc, known.precision_recall
    return {
        "inputs": inputs,
        "sentence": headline.sentence(inputs),
        "verdicts": headline.verdicts(inputs),
        "facts": headline.facts(inputs),
        "chosen": headline.chosen(inputs),
        "many": len(inputs.classes) > MANY_CLASSES,
        "per_class": per_class(inputs, *both),
        "matrix": confusion.matrix(counts),
        "confused": confusion.pairs(counts),
        "cells": confusion.cells(counts),
        "of_published": of_predictions(predicted.labels, predicted.probabilities, inputs.classes),
        "calibration_error": curves.expected_calibration_error(bins),
        "rarest": by_rarity(inputs)[0],
        "calibration_before": calibration_before(inputs, predicted),
        "largest_class": headline.one_answer(inputs),
        "whose": headline.whose(inputs),
        "lead": METRICS[inputs.leading],
        "other_metrics": others(len(inputs.classes), inputs.leading),
        "tried": inputs.tried,
        "charts": drawn(inputs, *both, bins),
        "slices": found,
        "slices_chart": slices_chart(found, float(table["correct"].mean())),
        "errors": (wrong := galleries.errors(table)),
        "beside_neighbours": galleries.beside_neighbours(
            wrong.tiles, inputs.look.nearest if inputs.look else {}
        ),
        "uncertain": galleries.uncertain(table, predicted),
        "told_by_facts": [
            (one.kind, galleries.told_by_facts(one))
            for one in inputs.diagnosis.shortcuts
            if one.flagged
        ],
    }


def drawn(
    inputs: ReportInputs, roc: list[Curve], recall: list[Curve], bins: list[curves.Bin]
) -> dict[str, Chart]:
    """The charts by where they stand."""
    figure = inputs.figure
    found = {
        "splits": charts.intervals(
            f"{METRICS[inputs.leading].title} by split",
            headline.split_intervals(inputs),
            figure.accuracy if figure else None,
            f"published ({figure.split})" if figure else "",
        ),
        "roc": charts.roc(telling(roc, inputs)),
        "precision_recall": charts.precision_recall(telling(recall, inputs)),
        "calibration": charts.calibration(bins),
    }
    if inputs.diagnosis.more_data is not None:
        found["more_data"] = charts.more_data(inputs.diagnosis.more_data)
    history = inputs.training.get("history", [])
    if history and len(history[inputs.training["published_repeat"]]) > 1:
        found["learning"] = charts.learning(history, inputs.training["published_repeat"])
    return found


def calibration_before(inputs: ReportInputs, predicted: curves.Predicted) -> float | None:
    """The expected calibration error without the temperature; None where there is none.

    Means over a picture and its mirror image cannot be taken apart again.
    """
    heat = inputs.training.get("facts", {}).get("temperature", 1)
    if heat == 1 or len(inputs.training.get("averaged", [""])) > 1:
        return None
    as_trained = predicted.probabilities**heat
    as_trained /= as_trained.sum(axis=1, keepdims=True)
    before = curves.Predicted(predicted.classes, predicted.labels, as_trained)
    return curves.expected_calibration_error(curves.calibration(before))


def telling(found: list[Curve], inputs: ReportInputs) -> list[Curve]:
    """The rarest class first; of two classes its curve alone, which says all."""
    rarest = by_rarity(inputs)
    found = sorted(found, key=lambda one: rarest.index(one.name))
    return [one for one in found if len(rarest) != 2 or one.name == rarest[0]]


def by_rarity(inputs: ReportInputs) -> list[str]:
    """The classes, those with the fewest shown pictures first; of as many the later ones."""
    pictures = {name: one["support"] for name, one in inputs.headline["per_class"].items()}
    later_first = inputs.classes[::-1]
    return sorted(later_first, key=pictures.__getitem__)


def slices_chart(found: list[slices.Slice], overall: float) -> Chart | None:
    """The slices as intervals; None where there are none, or too many to read."""
    if not found or len(found) > charts.MOST_BARS:
        return None
    rows = [
        charts.Interval(f"{one.value}", one.accuracy, one.low, one.high, one.pictures)
        for one in found
    ]
    return charts.intervals("Accuracy by slice", rows, overall, "all pictures")


def per_class(inputs: ReportInputs, roc: list[Curve], recall: list[Curve]) -> list[Context]:
    """One row per class: the metrics', recall's interval, and the areas under its curves.

    Of many classes the weakest come first, each with what it is most often taken for.
    """
    areas = {one.name: one.area for one in roc}
    averages = {one.name: one.area for one in recall}
    rows = []
    for name, one in inputs.headline["per_class"].items():
        low, high = (
            wilson(one["recall"] * one["support"], one["support"]) if one["support"] else (0, 1)
        )
        rows.append(
            {"name": name, "low": low, "high": high, "area": areas.get(name),
             "average": averages.get(name), "taken_for": [], **one}
        )  # fmt: skip
    if len(rows) > MANY_CLASSES:
        for row, cells in zip(rows, confusion.taken_for(inputs.headline["confusion"]), strict=True):
            row["taken_for"] = cells
        rows.sort(key=lambda row: (row["support"] == 0, row["f1"]))
    return rows


def heat_maps(inputs: ReportInputs, tiles: list[Tile]) -> dict[str, str]:
    """Grad-CAM pictures of these tiles, as data URIs by image."""
    found = {}
    for tile in tiles:
        if tile.image in inputs.heat_maps:
            uri = thumbnails.thumbnail(inputs.heat_maps[tile.image])
            if uri is not None:
                found[tile.image] = uri
    return found


def data(inputs: ReportInputs) -> Context:
    """What the model was made from."""
    counts = pictures_by_class(inputs.split)
    several, groups = galleries.near_duplicates(inputs.split)
    found = inputs.diagnosis.label_errors.candidates
    return {
        "by_class": counts,
        "by_class_chart": charts.pictures_by_class(counts),
        "statuses": statuses(inputs.rows),
        "rejected": galleries.rejected(inputs.rows),
        "passed_over": galleries.passed_over(inputs.rows),
        "left_out_of_split": int((inputs.split["split"] == "").sum()),
        "groups": groups,
        "groups_several": several,
        "crossing": headline.crossing(inputs.split),
        "likeness": {"bits": HASH_BITS, "distance": HASH_DISTANCE, "correlation": CORRELATION},
        "copies_looked_for": inputs.copies,
        "copies": copies.copies(inputs.rows, inputs.split, inputs.images),
        "candidates": galleries.candidates(found),
        "odd": galleries.odd(inputs.rows),
        "remarks": list(inputs.remarks),
    }


def pictures_by_class(split: pd.DataFrame) -> list[tuple[str, list[int]]]:
    """(class, pictures in train, validation and test), classes sorted."""
    counts = split.groupby(["label", "split"]).size().unstack(fill_value=0)
    return [
        (str(label), [int(row.get(name, 0)) for name in SPLITS]) for label, row in counts.iterrows()
    ]


def statuses(rows: pd.DataFrame) -> list[tuple[str, int]]:
    """What became of every file; the counts add up to all rows."""
    counts = rows["status"].value_counts()
    return [(str(status), int(counts[status])) for status in Status if status in counts]


def reproduction(inputs: ReportInputs) -> Context:
    """How to make this again."""
    return {
        "runtime": reproducing.agreement(inputs.parity, inputs.shown),
        "parameters": reproducing.flat(inputs.parameters),
        "versions": inputs.versions or reproducing.versions(),
        "places": {**inputs.digests, "model": inputs.model, "evaluation": inputs.evaluation},
    }


def _wanted(inputs: ReportInputs, context: Context) -> Iterator[str]:
    """Stored names of all pictures to show, the most telling first."""
    yield from _images(context["errors"].tiles)
    yield from _images(context["look"]["eight"])
    for gallery in (context["uncertain"], context["candidates"]):
        yield from _images(gallery.tiles if gallery else [])
    for tiles in context["beside_neighbours"]:
        yield from _images(tiles)
    for _, tiles in context["told_by_facts"]:
        yield from _images(tiles)
    for _, _, gallery in context["odd"]:
        yield from _images(gallery.tiles)
    for _, gallery in context["rejected"]:
        yield from _images(gallery.tiles)
    for group in context["groups"]:
        yield from _images(group)
    table = inputs.shown_predictions()
    yield from table["image"].iloc[galleries.by_cell(table)]


def _images(tiles: list[Tile]) -> Iterator[str]:
    return (tile.image for tile in tiles if tile.image)
