"""The report's folder: report.html, metrics.json, plot.png."""

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage import atomic, folders
from storage.layout import METRICS, PLOT, REPORT
from storage.references import SPLITS
from storage.statuses import REJECTED, Status
from tasks.publish.figures import PublishedFigure, verdict
from tasks.publish.plot import save_curves

if TYPE_CHECKING:
    import pandas as pd

TEMPLATES = Path(__file__).parent / "templates"
REJECTED_SHOWN = 200


def write(
    folder: Path,
    *,
    experiment: str,
    when: str,
    model: str,
    metrics: dict[str, Any],
    training: dict[str, Any],
    rows: "pd.DataFrame",
    split: "pd.DataFrame",
    figure: PublishedFigure | None,
) -> None:
    """Fill `folder`.

    `model` is the model's place in the workspace, `rows` the table of `clean`, `split` that of
    `split`.
    """
    judged = figure.split if figure else "test"
    headline = metrics.get(judged) or metrics["train"]
    atomic.write_json(
        folder / METRICS, {"experiment": experiment, "when": when, "model": model, **metrics}
    )
    plot = save_curves(folder / PLOT, training["history"], training["published_repeat"])
    page = render(
        experiment=experiment,
        when=when,
        metrics=metrics,
        splits=[name for name in SPLITS if name in metrics],
        judged=judged,
        headline=headline,
        verdict=verdict(figure, headline["accuracy"]),
        figure=figure,
        plot=base64.b64encode(plot.read_bytes()).decode(),
        training=training,
        statuses=_statuses(rows),
        rejected=_rejected(rows),
        rejected_shown=REJECTED_SHOWN,
        table=_pictures(split),
        left_out=int((split["split"] == "").sum()),
        groups=_shared_groups(split),
    )
    (folder / REPORT).write_text(page, encoding="utf-8")
    folders.seal(folder)


def render(**context: Any) -> str:
    """The page; every value is escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["percent"] = lambda value: f"{100 * value:.1f} %"
    return environment.get_template("report.html.j2").render(**context)


def _statuses(rows: "pd.DataFrame") -> list[tuple[str, int]]:
    counts = rows["status"].value_counts()
    return [(str(status), int(counts[status])) for status in Status if status in counts]


def _rejected(rows: "pd.DataFrame") -> list[dict[Any, Any]]:
    rejected = rows[rows["status"].isin(REJECTED)][["name", "label", "status", "reason"]]
    return rejected.head(REJECTED_SHOWN).to_dict("records")


def _pictures(split: "pd.DataFrame") -> list[tuple[str, list[int]]]:
    counts = split.groupby(["label", "split"]).size().unstack(fill_value=0)
    return [
        (str(label), [int(row.get(name, 0)) for name in SPLITS]) for label, row in counts.iterrows()
    ]


def _shared_groups(split: "pd.DataFrame") -> int:
    """How many groups of near-duplicates lie in more than one split: what must be 0."""
    placed = split[split["split"].isin(SPLITS)]
    return int((placed.groupby("group")["split"].nunique() > 1).sum())
