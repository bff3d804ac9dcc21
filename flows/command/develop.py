"""`darkroom develop`: from pictures to a report in one word."""

import sys
from typing import Annotated

from cyclopts import App, Parameter

from flows.command.inspect import inspected
from flows.command.options import AsJson, Chosen, Settings
from flows.command.own_pictures import BASE, experiment_for
from flows.command.presets import settings_of
from flows.command.run import carried_out
from flows.experiments import DEPLOYMENTS
from flows.parameters import Experiment
from storage.errors import SourceError
from storage.names import one_line
from storage.workspace import Workspace
from tasks.acquire.inspecting import Inspection
from tasks.acquire.parameters import Archive, Folders
from tasks.clean.given_splits import are_given

app = App(name="develop", help_epilogue="")
MOST_CLASSES = 6


@app.default
def develop(
    pictures: Annotated[
        str, Parameter(help="A folder, a zip or tar, a table of labels, or an address of a zip.")
    ],
    /,
    *,
    name: Annotated[
        str | None,
        Parameter(help="What the experiment is called, if not as the folder."),
    ] = None,
    preset: Chosen = None,
    settings: Settings = (),
    as_json: AsJson = False,
) -> None:
    """Take these pictures, whatever their layout: inspect them, train, evaluate, report.

    The same words again refresh what has changed. Another folder is another experiment, with a
    split, reports and a model of its own.
    """
    experiment = experiment_for(pictures, name, [*settings_of(preset), *settings])
    if isinstance(experiment.source, Folders | Archive):
        found = inspected(experiment)
        if found.problem:
            raise SourceError(f"{pictures} cannot be taken as it is: {found.problem}")
        print("\n".join(map(one_line, _plan(experiment, found))), file=sys.stderr)
    carried_out(experiment, DEPLOYMENTS, BASE, as_json=as_json)


def _plan(experiment: Experiment, found: Inspection) -> list[str]:
    """What was understood, in four lines."""
    totals = {label: sum(counts.values()) for label, counts in found.classes.items()}
    largest = sorted(totals, key=lambda label: -totals[label])[:MOST_CLASSES]
    more = f" and {len(totals) - MOST_CLASSES} more" if len(totals) > MOST_CLASSES else ""
    splits = {split for counts in found.classes.values() for split in counts} - {""}
    named = ", ".join(f"{label} ({totals[label]:,})" for label in largest) + more
    split = experiment.split
    if are_given(split.splits, splits):
        how = f"as given ({', '.join(sorted(splits))})"
    else:
        amounts = split.amounts.model_dump()
        numbers = (
            f"{k} {v:.0%}" if isinstance(v, float) else f"{k} {v}" for k, v in amounts.items()
        )
        how = f"{split.rule or 'sticky'}, {', '.join(numbers)}"
    return [
        f"{experiment.experiment}: {found.layout}",
        f"  {sum(totals.values()):,} pictures of {len(totals)} classes: {named}",
        f"  split {how}",
        f"  results go to {Workspace.current().root}",
    ]  # fmt: skip
