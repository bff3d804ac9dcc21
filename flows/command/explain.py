"""`darkroom explain`: what each step of a run would do, and why."""

import json

from cyclopts import App

from flows.command.options import AsJson, Experiment, File, Rerun, Settings
from flows.experiments import DEPLOYMENTS, load

app = App(name="explain", help_epilogue="")


@app.default
def explain(
    name: Experiment,
    /,
    *,
    settings: Settings = (),
    rerun: Rerun = (),
    as_json: AsJson = False,
    file: File = DEPLOYMENTS,
) -> None:
    """Say of each step whether it would run, and why; run nothing."""
    experiment = load(name, list(settings), file)
    from flows.steps import foretell

    outcomes = foretell(experiment, list(rerun))
    if as_json:
        steps = [outcome.model_dump(exclude={"seconds"}) for outcome in outcomes]
        print(json.dumps({"experiment": experiment.experiment, "steps": steps}))
        return
    for outcome in outcomes:
        print(f"{outcome.name:>9}  {outcome.state:<8}  {outcome.why}")
