"""Reports by name: find one, open it, compare two."""

import webbrowser
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from storage import atomic, manifests, publications
from storage.errors import ParameterError, StorageDamaged
from storage.folders import LATEST, PREDICTIONS, REPORT
from storage.names import as_file_name
from storage.workspace import Workspace
from tasks.evaluate import comparing
from tasks.evaluate.comparing import Paired
from tasks.publish.inputs import Earlier
from tasks.publish.page import run_entry
from tasks.publish.wording import percent


def find(workspace: Workspace, name: str) -> Path:
    """The folder of a report: of an experiment the latest, of `experiment/run` that one, or a path.

    ParameterError, with the names that come close, if there is none.
    """
    path = Path(name)
    if path.name == REPORT and path.is_file():
        return path.resolve().parent
    experiment, _, run = name.rpartition("/")
    for folder in (
        path,
        atomic.led_to(workspace.reports / as_file_name(name) / LATEST),
        workspace.reports / as_file_name(experiment) / run,
    ):
        if (folder / REPORT).is_file():
            return folder.resolve()
    known = sorted(one.name for one in workspace.reports.glob("*") if (one / LATEST).exists())
    close = get_close_matches(name, known) or known[:10]
    raise ParameterError(
        f"expected an experiment with a report in {workspace.reports}, or EXPERIMENT/RUN, found "
        f"{name!r}: "
        f"{'one of ' + ', '.join(close) if close else 'no experiment has run here yet'}"
    )


def listed(workspace: Workspace, experiment: str | None = None) -> list[str]:
    """The runs that `compare` takes, newest first: name, when, accuracy.

    ParameterError where there is none.
    """
    folders = all_runs(workspace) if experiment is None else runs(workspace, experiment)
    found = [(folder, run_entry.of_folder(folder)) for folder in folders]
    entries = [(folder, one) for folder, one in found if one is not None]
    if not entries:
        whose = f" of {experiment!r}" if experiment else ""
        raise ParameterError(f"expected reports{whose} in {workspace.reports}, found none")
    entries.sort(key=lambda pair: pair[1]["when"], reverse=True)
    return [_listed(folder, one) for folder, one in entries]


def _listed(folder: Path, one: run_entry.Entry) -> str:
    split, title, figure = run_entry.figure_of(one)
    when = one["when"][:16].replace("T", " ")
    name = f"{folder.parent.name}/{folder.name}"
    return f"{name}  {when}  {split} {title} {percent(figure['mean'])}"


def open_page(folder: Path) -> str:
    """Show a report in the browser where there is one; its address in any case."""
    address = (folder / REPORT).as_uri()
    webbrowser.open(address)
    return address


class Comparison(NamedTuple):
    """Two runs: their entries, and how they did on the test pictures they share, if any."""

    first: run_entry.Entry
    second: run_entry.Entry
    pair: Paired | None

    @property
    def changed(self) -> list[str]:
        """One line for each parameter that the two do not share."""
        return [
            f"  {name}: {before} -> {after}"
            for name, before, after in run_entry.changes(self.first, self.second)
        ] or ["  no parameter differs"]

    @property
    def text(self) -> str:
        """For people, on a few lines."""
        lines = [_line(one) for one in (self.first, self.second)]
        if self.pair is None:
            return "\n".join([*lines, "They share no test picture: they cannot be compared."])
        lines += self.changed
        how = {
            "better": "The first is significantly better.",
            "worse": "The second is significantly better.",
            "no different": "They do not differ significantly.",
        }[comparing.judged(self.pair)]
        return "\n".join([*lines, how, comparing.counted(self.pair, "the first", "the second")])


def compare(workspace: Workspace, first: str, second: str) -> Comparison:
    """Two reports by name, paired on the test pictures that both have."""
    one, other = find(workspace, first), find(workspace, second)
    entries = _entry(one), _entry(other)
    tables = [
        predictions_of(workspace, folder, entry)
        for folder, entry in zip((one, other), entries, strict=True)
    ]
    if entries[0]["when"] < entries[1]["when"]:  # the later run's labels are the better ones
        tables[0] = comparing.by_labels_of(tables[0], tables[1])
    pair = comparing.paired(*tables)
    return Comparison(*entries, pair)


def predictions_of(workspace: Workspace, folder: Path, one: run_entry.Entry) -> pd.DataFrame:
    """The predictions table that a report was made from."""
    evaluation = evaluation_of(workspace, one)
    if evaluation is None:
        raise StorageDamaged(
            f"expected the evaluation of {folder}, found none: run the experiment again"
        )
    return manifests.load(evaluation / PREDICTIONS)


def evaluation_of(workspace: Workspace, one: run_entry.Entry) -> Path | None:
    """The evaluation's folder, None if it is gone."""
    path = workspace.root / one["evaluation"]
    return path if (path / PREDICTIONS).exists() else None


def earlier(workspace: Workspace, experiment: str, evaluation: str) -> Earlier | None:
    """What a new run is compared with: the published model, else the newest report before.

    Never the evaluation itself; None if there is nothing, or its predictions are gone.
    """
    standing = publications.current(workspace, experiment)
    if standing is not None and standing.evaluation != evaluation:
        path = workspace.root / standing.evaluation / PREDICTIONS
        if path.exists():
            run = Path(standing.report).name
            return Earlier(run, standing.when, manifests.load(path), published=True)
    for folder in reversed(runs(workspace, experiment)):
        one = run_entry.of_folder(folder)
        found = one and evaluation_of(workspace, one)
        if one and found and found != workspace.root / evaluation:
            return Earlier(one["run"], one["when"], manifests.load(found / PREDICTIONS))
    return None


def runs(workspace: Workspace, experiment: str) -> list[Path]:
    """The folders of an experiment's reports, oldest first."""
    return _report_folders(workspace.reports / as_file_name(experiment))


def command_of(workspace: Workspace, experiment: str) -> str:
    """The command that ran an experiment last; "" where no report says so."""
    for folder in reversed(runs(workspace, experiment)):
        one = run_entry.of_folder(folder)
        if one is not None:
            return str(one.get("command", ""))
    return ""


def _report_folders(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.glob("*")
        if path.is_dir() and not path.is_symlink() and path.name[0] != "."
    )


def all_runs(workspace: Workspace) -> list[Path]:
    """The folders of all reports."""
    return [
        path for folder in _report_folders(workspace.reports) for path in _report_folders(folder)
    ]


def _entry(folder: Path) -> run_entry.Entry:
    found = run_entry.of_folder(folder)
    if found is None:
        raise StorageDamaged(f"expected the metrics of a run in {folder}: run the experiment again")
    return found


def _line(one: run_entry.Entry) -> str:
    split, title, figure = run_entry.figure_of(one)
    return (
        f"{one['experiment']}/{one['run']}: {split} {title} {percent(figure['mean'])} "
        f"({percent(figure['low'])} to {percent(figure['high'])})"
    )
