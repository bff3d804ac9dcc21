"""The report's folder: report.html, run.json, metrics.json, plot.png and what is to look at."""

from pathlib import Path

from storage import atomic, folders
from storage.folders import METRICS, PLOT, REPORT, RUN
from tasks.publish.figures import to_look_at
from tasks.publish.figures.learning_curves import save_curves
from tasks.publish.inputs import ReportInputs
from tasks.publish.page.run_entry import entry
from tasks.publish.page.run_page import page


def write(folder: Path, inputs: ReportInputs) -> None:
    """Fill an empty folder with all that a report consists of, and seal it."""
    about = {
        "experiment": inputs.experiment,
        "when": inputs.when,
        "model": inputs.model,
        "headline": inputs.leading,
    }
    atomic.write_json(folder / METRICS, about | inputs.metrics)
    atomic.write_json(folder / RUN, entry(inputs))
    history = inputs.training.get("history", [])
    if history and len(history[inputs.training["published_repeat"]]) > 1:
        save_curves(folder / PLOT, history, inputs.training["published_repeat"])
    to_look_at.write(folder, inputs)
    (folder / REPORT).write_text(page(inputs), encoding="utf-8")
    folders.seal(folder)
