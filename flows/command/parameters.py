"""`darkroom parameters`: what --set takes."""

import shutil
from typing import Annotated

from cyclopts import App, Parameter

from flows import listing
from flows.command.options import File
from flows.experiments import DEPLOYMENTS, load

WIDTH = 100  # where the output is no terminal

app = App(name="parameters", help_epilogue="")


@app.default
def parameters(
    name: Annotated[
        str | None, Parameter(help="An experiment whose values are shown, not the defaults.")
    ] = None,
    /,
    *,
    file: File = DEPLOYMENTS,
) -> None:
    """List what --set takes: an experiment's values, or the defaults of every kind there is."""
    experiment = load(name, [], file) if name else None
    for line in listing.lines(experiment, shutil.get_terminal_size((WIDTH, 24)).columns):
        print(line)
