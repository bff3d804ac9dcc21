"""`darkroom report`: list reports, open one, compare two, take a model back."""

from typing import Annotated

from cyclopts import App, Parameter

from storage.workspace import Workspace

Report = Annotated[str, Parameter(help="An experiment, EXPERIMENT/RUN or a report's folder.")]

app = App(
    name="report", help_epilogue="", help="List reports, open one, compare two, take a model back."
)


@app.command(name="list")
def every(experiment: str | None = None, /) -> None:
    """List the runs that have a report, of one experiment or of all."""
    from tasks.publish.page import lookup

    names = [] if experiment is None else [experiment]
    for line in lookup.listed(Workspace.current(), *names):
        print(line)


@app.command(name="open")
def show(name: Report, /) -> None:
    """Open a run's page in the browser, and print where it is."""
    from storage import elsewhere
    from tasks.publish.page import lookup

    elsewhere.exchange_pointers(Workspace.current())
    print(lookup.open_page(lookup.find(Workspace.current(), name)))


@app.command
def compare(first: Report, second: Report, /) -> None:
    """Compare two runs: what was changed, and whether the metrics differ beyond chance."""
    from tasks.publish.page import lookup

    print(lookup.compare(Workspace.current(), first, second).text)


@app.command
def take_back(experiment: str, /) -> None:
    """Take the published model back: the one before it is published again."""
    from storage import publications, records

    workspace = Workspace.current()
    back = publications.take_back(workspace, experiment, records.now())
    print(f"{back.experiment}: published is again {workspace.root / back.model}")
