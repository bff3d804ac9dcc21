"""`darkroom experiments`: what there is to run."""

from cyclopts import App

from flows.command.options import File
from flows.experiments import DEPLOYMENTS, deployments

app = App(name="experiments", help_epilogue="")


@app.default
def experiments(*, file: File = DEPLOYMENTS) -> None:
    """List the experiments, a line each: the name, and what it is."""
    for name, deployment in deployments(file).items():
        print(f"{name:<24} {' '.join(deployment.get('description', '').split())}")
