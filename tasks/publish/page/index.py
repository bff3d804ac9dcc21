"""The page over all reports: reports/index.html."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from storage import atomic, digests, publications
from storage.folders import INDEX, LATEST, REPORT
from storage.references import SPLITS
from storage.workspace import Workspace
from tasks.evaluate.metrics import METRICS
from tasks.publish.page import lookup, rendering, run_entry
from tasks.publish.svg import Chart, colour, dash, new_figure, percent_axis, settings, svg
from tasks.publish.wording import as_shown, as_words, percent, seconds
from tasks.running import code_fingerprint

TEMPLATE = "index.html.j2"
MOST_RUNS = 500
MOST_CHANGES = 2
SHORTEST_DAYS = 1 / 24  # that the chart over time spans


class Row(NamedTuple):
    """One run in the leaderboard; `split` is what its numbers are of."""

    entry: run_entry.Entry
    link: str
    split: str
    metrics: dict[str, Any]
    published: bool
    latest: bool = False  # what `darkroom report open` shows of its experiment

    @property
    def leading(self) -> str:
        """The metric that leads."""
        return run_entry.leading(self.entry)

    @property
    def figure(self) -> dict[str, Any]:
        """The leading metric: mean, low, high."""
        return dict(self.metrics[self.leading])

    @property
    def title(self) -> str:
        """The leading metric's name, where it is not accuracy, which goes without saying."""
        return "" if self.leading == "accuracy" else as_words(METRICS[self.leading].title)

    @property
    def name(self) -> str:
        """How a person picks the run."""
        return f"{self.entry['experiment']} · {self.entry['run']}"


class Standing(NamedTuple):
    """One experiment: how many runs, its latest and its best."""

    experiment: str
    runs: int
    latest: Row
    best: Row


def write(workspace: Workspace) -> Path:
    """Make reports/index.html anew, at once or not at all; one that shows all this is left alone.

    The page's last line says what it was made of, and has a digest of what stands before it.
    """
    path, found = workspace.reports / INDEX, rows(workspace)
    code = code_fingerprint.fingerprint("tasks.publish")
    made_of = digests.of_value([code, [row._asdict() for row in found]])
    if not _is_whole(path, made_of):
        content = page(found).encode()
        atomic.write_bytes(path, digests.marked(content, made_of))
    return path


def _is_whole(path: Path, made_of: str) -> bool:
    """Whether the page is there, every byte of it, and was made of this."""
    try:
        return digests.is_marked(path.read_bytes(), made_of)
    except OSError:
        return False


def page(found: list[Row]) -> str:
    """The page over the newest MOST_RUNS of all runs."""
    shown = found[:MOST_RUNS]
    return rendering.render(
        TEMPLATE,
        rows=shown,
        total=len(found),
        standings=standings(shown),
        over_time=over_time(shown) if shown else None,
        runs=[for_script(row) for row in shown],
        second=run_before(shown),
        changed=changed(found),
        measure=_measure(shown),
    )


def changed(found: list[Row]) -> dict[str, str]:
    """By a run's link, what was changed since the run before of its experiment."""
    texts: dict[str, str] = {}
    before: dict[str, run_entry.Entry] = {}
    for row in reversed(found):
        name = row.entry["experiment"]
        if name in before:
            texts[row.link] = _changed(run_entry.changes(before[name], row.entry))
        before[name] = row.entry
    return texts


def _changed(changes: list[tuple[str, str, str]]) -> str:
    said = [f"{name}: {old} → {new}" for name, old, new in changes[:MOST_CHANGES]]
    more = len(changes) - len(said)
    return "; ".join([*said, *([f"{more} more"] if more > 0 else [])])


def rows(workspace: Workspace) -> list[Row]:
    """Every run with a report, newest first."""
    return sorted(_rows(workspace), key=lambda row: (row.entry["when"], row.name), reverse=True)


def _rows(workspace: Workspace) -> Iterator[Row]:
    current: dict[str, str] = {}
    for folder in lookup.all_runs(workspace):
        one = run_entry.of_folder(folder)
        if one is None or not (folder / REPORT).is_file():
            continue
        name = one["experiment"]
        if name not in current:
            standing = publications.current(workspace, name)
            current[name] = standing.report if standing else ""
        link = quote(f"{folder.parent.name}/{folder.name}/{REPORT}")
        split = list(one["splits"])[-1]
        is_published = current[name] == workspace.relative(folder)
        is_latest = atomic.led_to(folder.parent / LATEST) == folder.resolve()
        yield Row(one, link, split, one["splits"][split], is_published, is_latest)


def run_before(found: list[Row]) -> int:
    """Which run to set beside the newest at first: the one before it of the same experiment."""
    same = [
        place
        for place, row in enumerate(found)
        if row.entry["experiment"] == found[0].entry["experiment"]
    ]
    return same[1] if len(same) > 1 else max(0, min(1, len(found) - 1))


def standings(found: list[Row]) -> list[Standing]:
    """By experiment, the best first; the best of those that are judged as the latest is."""
    by_name: dict[str, list[Row]] = {}
    for row in found:
        by_name.setdefault(row.entry["experiment"], []).append(row)
    made = [
        Standing(name, len(some), _latest(some), max(_judged_alike(some), key=_figure))
        for name, some in by_name.items()
    ]
    return sorted(made, key=lambda one: -_figure(one.best))


def _latest(some: list[Row]) -> Row:
    """What the experiment's last run stands for: an old report, where all of it was cached."""
    return next((row for row in some if row.latest), some[0])


def _judged_alike(some: list[Row]) -> list[Row]:
    """Those of one experiment, newest first, judged by the newest one's split and metric."""
    return [row for row in some if (row.split, row.leading) == (some[0].split, some[0].leading)]


def _figure(row: Row) -> float:
    return float(row.figure["mean"])


def over_time(found: list[Row]) -> Chart:
    """The leading figure by date, a line per experiment: its runs judged as its latest is."""
    names = list(dict.fromkeys(row.entry["experiment"] for row in found))
    measure = _measure(found)
    alternative = (
        f"{measure.capitalize()} of {len(found)} runs of {len(names)} experiments over time, with "
        "intervals"
    )
    with settings():
        figure = new_figure(8.4, 3.2)
        axes = figure.subplots()
        for number, name in enumerate(names):
            some = [row for row in found if row.entry["experiment"] == name]
            _line(axes, _judged_alike(some), number)
        axes.set(ylabel=measure)
        percent_axis(axes.yaxis)
        figure.autofmt_xdate(rotation=0, ha="center")
        _dates(axes)
        image = svg(figure, alternative)
    return Chart(
        "Runs over time",
        alternative,
        image,
        ("run", "date", "split", measure, "95 % interval"),
        [(row.name, row.entry["when"][:16], row.split, *_texts(row.figure)) for row in found],
        legend=list(enumerate(names)),
    )


def _measure(found: list[Row]) -> str:
    """What leads all of these runs, in words."""
    return "headline figure" if any(row.title for row in found) else "accuracy"


def _line(axes: Any, some: list[Row], number: int) -> None:
    ordered = sorted(some, key=lambda row: row.entry["when"])
    when = [datetime.fromisoformat(row.entry["when"]) for row in ordered]
    values = [_figure(row) for row in ordered]
    below = [_figure(row) - min(row.figure["low"], _figure(row)) for row in ordered]
    above = [max(row.figure["high"], _figure(row)) - _figure(row) for row in ordered]
    axes.errorbar(
        when,
        values,
        yerr=[below, above],
        color=colour(number),
        linestyle=dash(number),
        marker="o",
        markersize=5,
        elinewidth=1,
        linewidth=1.2,
    )


def _dates(axes: Any) -> None:
    import matplotlib.dates as mdates

    dates: Any = mdates
    locator = dates.AutoDateLocator(maxticks=7)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    axes.margins(x=0.05)
    first, last = axes.dataLim.intervalx  # in days
    if last - first < SHORTEST_DAYS:
        # A single run would otherwise stand in the middle of four years.
        middle = (first + last) / 2
        axes.set_xlim(middle - SHORTEST_DAYS / 2, middle + SHORTEST_DAYS / 2)


def _texts(figure: dict[str, Any]) -> tuple[str, str]:
    return percent(figure["mean"]), f"{percent(figure['low'])} to {percent(figure['high'])}"


def for_script(row: Row) -> dict[str, Any]:
    """What the page needs to set a run beside another."""
    return {
        "name": row.name,
        "pictures": row.entry["pictures"],
        "correct": row.entry["correct"],
        "values": dict(_values(row)),
    }


def _values(row: Row) -> Iterator[tuple[str, str]]:
    yield "date", row.entry["when"][:16].replace("T", " ")
    for split in SPLITS[::-1]:
        metrics = row.entry["splits"].get(split)
        if metrics:
            mean, interval = _texts(metrics["accuracy"])
            yield f"{split} accuracy", mean
            yield f"{split} 95 % interval", interval
            for name, one in METRICS.items():
                if (
                    name in metrics and name != "accuracy"
                ):  # an older report lacks what was not measured then
                    yield f"{split} {one.title}", as_shown(one, metrics[name]["mean"])
            yield f"{split} pictures", rendering.count(metrics["images"])
    for name, one in list(row.metrics["per_class"].items())[:50]:
        yield f"F1 of {name}", percent(one["f1"])
    if row.entry["seconds"] is not None:
        yield "duration", seconds(row.entry["seconds"])
    yield "model", row.entry["model"].rpartition("/")[2][:12]
    yield from ((f"parameter {name}", value) for name, value in row.entry["parameters"].items())
