"""The charts of a run's page."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from storage.references import SPLITS
from tasks.evaluate.curves import Bin, Curve, expected_calibration_error, reached
from tasks.evaluate.metrics import wilson
from tasks.evaluate.more_data import MoreData
from tasks.publish.svg import (
    FAINT,
    INK,
    SERIES,
    Chart,
    colour,
    dash,
    new_figure,
    percent_axis,
    settings,
    short,
    svg,
)
from tasks.publish.wording import percent

MOST_SERIES = 10
MOST_BARS = 40
LONGEST_LABEL = 22
RATES = (0.01, 0.05, 0.1, 0.2, 0.5)


class Interval(NamedTuple):
    """A share with its 95 % interval."""

    name: str
    mean: float
    low: float
    high: float
    pictures: int


def intervals(title: str, rows: Sequence[Interval], mark: float | None, mark_name: str) -> Chart:
    """Shares as points with their intervals, one below the other; `mark` is a line across."""
    told = "; ".join(
        f"{row.name} {percent(row.mean)} ({percent(row.low)} to {percent(row.high)})"
        for row in rows[:MOST_SERIES]
    )
    alternative = f"{title}: {told}" + (
        f"; {mark_name} {percent(mark)}" if mark is not None else ""
    )
    with settings():
        figure = new_figure(6.4, 0.75 + 0.3 * len(rows))
        axes = figure.subplots()
        for place, row in enumerate(rows):
            axes.plot([row.low, row.high], [place, place], color=SERIES[0], linewidth=2.4)
            axes.plot([row.mean], [place], "o", color=SERIES[0], markersize=6)
        if mark is not None:
            axes.axvline(mark, color=SERIES[1], linewidth=1.6, linestyle=(0, (4, 2)))
        axes.set_yticks(range(len(rows)), [short(row.name, LONGEST_LABEL) for row in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.grid(visible=False, axis="y")
        percent_axis(axes.xaxis)
        drawn = svg(figure, alternative)
    return Chart(
        title,
        alternative,
        drawn,
        ("", "accuracy", "from", "to", "pictures"),
        [
            (row.name, percent(row.mean), percent(row.low), percent(row.high), str(row.pictures))
            for row in rows
        ],
        legend=[(0, "accuracy, 95 % interval")] + ([(1, mark_name)] if mark is not None else []),
    )


def roc(curves: list[Curve]) -> Chart:
    """ROC curves, one class against the rest."""
    header = ("class", "area", *(f"at {percent(rate)} false positives" for rate in RATES))
    rows = [
        (one.name, f"{one.area:.4f}", *(percent(reached(one, rate)) for rate in RATES))
        for one in curves
    ]
    return _curves(
        "ROC",
        curves,
        ("false-positive rate", "true-positive rate"),
        "area",
        header,
        rows,
        chance=True,
    )


def precision_recall(curves: list[Curve]) -> Chart:
    """Precision-recall curves, one class against the rest."""
    header = ("class", "average precision")
    rows = [(one.name, f"{one.area:.4f}") for one in curves]
    return _curves(
        "Precision and recall", curves, ("recall", "precision"), "average precision", header, rows
    )


def _curves(
    title: str,
    curves: list[Curve],
    labels: tuple[str, str],
    measure: str,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    chance: bool = False,
) -> Chart:
    worst = sorted(curves, key=lambda one: one.area)
    drawn = {one.name for one in worst[:MOST_SERIES]}
    told = ", ".join(f"{one.name} {one.area:.4f}" for one in worst[:MOST_SERIES])
    alternative = f"{title}, {measure} by class, lowest first: {told}"
    shown = [one for one in curves if one.name in drawn]
    with settings():
        figure = new_figure(4.4, 3.6)
        axes = figure.subplots()
        if chance:
            axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle=(0, (4, 3)))
        for number, one in enumerate(shown):
            axes.plot(
                one.x, one.y, color=colour(number), linestyle=dash(number), solid_joinstyle="round"
            )
        axes.set(xlabel=labels[0], ylabel=labels[1], xlim=(-0.01, 1.01), ylim=(-0.01, 1.02))
        image = svg(figure, alternative)
    note = f"Drawn are the {MOST_SERIES} classes with the lowest {measure}; all are in the numbers."
    return Chart(
        title,
        alternative,
        image,
        header,
        rows,
        legend=[(number, f"{one.name} {one.area:.3f}") for number, one in enumerate(shown)],
        note=note if len(curves) > MOST_SERIES else "",
    )


def calibration(bins: list[Bin]) -> Chart:
    """How often the model is right, against how sure it is."""
    error = expected_calibration_error(bins)
    alternative = (
        f"Calibration: accuracy against confidence in {len(bins)} bins; expected calibration error "
        f"{percent(error)}"
    )
    with settings():
        figure = new_figure(4.4, 3.6)
        _reliability(figure, bins)
        image = svg(figure, alternative)
    return Chart(
        "Calibration",
        alternative,
        image,
        ("confidence", "pictures", "mean confidence", "accuracy"),
        [
            (
                f"{percent(one.low)} to {percent(one.high)}",
                str(one.pictures),
                percent(one.confidence),
                percent(one.accuracy),
            )
            for one in bins
        ],
        legend=[(0, "ours; the diagonal is perfect calibration")],
    )


def _reliability(figure: Any, bins: list[Bin]) -> None:
    axes = figure.subplots()
    confidence, accuracy = np.array([(one.confidence, one.accuracy) for one in bins]).T
    ends = np.array([wilson(round(one.accuracy * one.pictures), one.pictures) for one in bins]).T
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle=(0, (4, 3)))
    axes.errorbar(
        confidence, accuracy, np.abs(ends - accuracy), fmt="o", color=SERIES[0], markersize=5,
        elinewidth=1,
    )  # fmt: skip
    axes.set(xlabel="confidence", ylabel="accuracy", xlim=(-0.01, 1.01), ylim=(-0.03, 1.05))


def more_data(found: MoreData) -> Chart:
    """Accuracy by number of training pictures, and what twice as many would give."""
    points, expected = found.points, found.expected
    ahead = (2 * points[-1].pictures, expected.accuracy, expected.low, expected.high)
    alternative = (
        "Accuracy by training pictures: "
        + ", ".join(f"{point.pictures} {percent(point.accuracy)}" for point in points)
        + f"; twice as many {percent(expected.accuracy)}"
    )
    with settings():
        figure = new_figure(6.4, 3.2)
        axes = figure.subplots()
        x = [point.pictures for point in points]
        y = [point.accuracy for point in points]
        axes.plot(x, y, "o-", color=SERIES[0], markersize=5)
        axes.vlines(x, [one.low for one in points], [one.high for one in points], color=SERIES[0])
        axes.plot([x[-1], ahead[0]], [y[-1], ahead[1]], "--", color=SERIES[1])
        axes.plot([ahead[0]], [ahead[1]], "o", color=SERIES[1], markersize=5)
        axes.vlines([ahead[0]], [ahead[2]], [ahead[3]], color=SERIES[1])
        axes.set_xscale("log")
        axes.set_xticks([*x, ahead[0]], [f"{number:,}" for number in (*x, ahead[0])])
        axes.minorticks_off()
        axes.set(xlabel="training pictures")
        percent_axis(axes.yaxis)
        image = svg(figure, alternative)
    shown = [(f"{one.pictures:,}", one.accuracy, one.low, one.high) for one in points]
    shown.append((f"{ahead[0]:,} (expected)", *ahead[1:]))
    rows = [(name, *map(percent, values)) for name, *values in shown]
    return Chart(
        "Would more pictures help?",
        alternative,
        image,
        ("training pictures", "accuracy", "from", "to"),
        rows,
        legend=[(0, "measured, 95 % interval"), (1, "expected of twice as many")],
    )


def learning(repeats: list[list[dict[str, float]]], published: int) -> Chart:
    """Loss and accuracy per epoch; the published repeat strong, the others thin."""
    history = repeats[published]
    last = history[-1]
    alternative = f"Learning curves over {len(history)} epochs: " + ", ".join(
        f"{name.replace('val_', 'validation ')} {last[name]:.4f} at the end"
        for name in ("loss", "val_loss", "accuracy", "val_accuracy")
        if name in last
    )
    with settings():
        figure = new_figure(8.4, 3.0)
        panels = figure.subplots(1, 2)
        for axes, measure in zip(panels, ("loss", "accuracy"), strict=True):
            for number, one in enumerate(repeats):
                _learned(axes, one, measure, strong=number == published)
            axes.set(title=measure, xlabel="epoch")
            axes.xaxis.get_major_locator().set_params(integer=True)
        percent_axis(panels[1].yaxis)
        image = svg(figure, alternative)
    names = [name for name in last if name != "epoch"]
    return Chart(
        "Learning curves",
        alternative,
        image,
        ("epoch", *(name.replace("val_", "validation ") for name in names)),
        [(f"{row['epoch']:.0f}", *(f"{row[name]:.4f}" for name in names)) for row in history],
        legend=[(0, "train"), *([(1, "validation")] if "val_loss" in last else [])],
        note="Thin lines are the other seeds." if len(repeats) > 1 else "",
    )


def _learned(axes: Any, history: list[dict[str, float]], measure: str, *, strong: bool) -> None:
    for number, name in enumerate((measure, f"val_{measure}")):
        points = [(row["epoch"], row[name]) for row in history if name in row]
        if points:
            axes.plot(
                *zip(*points, strict=True),
                color=SERIES[number],
                linewidth=2 if strong else 0.7,
                alpha=1 if strong else 0.5,
            )


def pictures_by_class(counts: list[tuple[str, list[int]]]) -> Chart:
    """Pictures of each class by split, as stacked bars; the largest MOST_BARS classes."""
    shown = sorted(counts, key=lambda row: -sum(row[1]))[:MOST_BARS]
    shown = [row for row in counts if row in shown]
    total = [sum(row[1][number] for row in counts) for number in range(len(SPLITS))]
    alternative = f"Pictures of {len(counts)} classes by split: " + ", ".join(
        f"{number} {name}" for name, number in zip(SPLITS, total, strict=True)
    )
    with settings():
        figure = new_figure(6.4, 0.75 + 0.26 * len(shown))
        axes = figure.subplots()
        left = [0] * len(shown)
        for number, _ in enumerate(SPLITS):
            widths = [row[1][number] for row in shown]
            axes.barh(range(len(shown)), widths, left=left, height=0.66, color=SERIES[number])
            left = [a + b for a, b in zip(left, widths, strict=True)]
        axes.set_yticks(range(len(shown)), [short(row[0], LONGEST_LABEL) for row in shown])
        axes.set(xlabel="pictures", ylim=(len(shown) - 0.5, -0.5))
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.grid(visible=False, axis="y")
        image = svg(figure, alternative)
    return Chart(
        "Pictures by class and split",
        alternative,
        image,
        ("class", *SPLITS, "all"),
        [(name, *map(str, row), str(sum(row))) for name, row in counts],
        legend=list(enumerate(SPLITS)),
    )
