"""`darkroom run`: run an experiment."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from flows.command.options import AsJson, Chosen, Experiment, File, Rerun, Settings
from flows.command.presets import settings_of
from flows.experiments import DEPLOYMENTS, load, read_from
from flows.parameters import Experiment as Parameters
from flows.parameters import StepName
from storage.errors import GateClosed
from storage.names import one_line
from tasks.running.interruption import interrupted_by_all

AGAIN = "; run the same again to go on where it was"

app = App(name="run", help_epilogue="")


@app.default
def run(
    name: Experiment,
    /,
    *,
    preset: Chosen = None,
    settings: Settings = (),
    rerun: Rerun = (),
    until: Annotated[StepName | None, Parameter(help="Stop after this step.")] = None,
    retry: Annotated[
        Literal["failed"] | None,
        Parameter(help="Take up downloads that failed and may succeed now."),
    ] = None,
    as_json: AsJson = False,
    file: File = DEPLOYMENTS,
) -> None:
    """Run an experiment, from its source to its report; what is unchanged is not done again."""
    experiment = load(name, [*settings_of(preset), *settings], file)
    carried_out(experiment, file, name, as_json=as_json, rerun=rerun, until=until, retry=retry)


def carried_out(
    experiment: Parameters, file: Path, name: str, *, as_json: bool, **how: Any
) -> None:
    """Run an experiment that is `name` in `file`, and say what it gave.

    GateClosed where its model is not to be published.
    """
    from flows import runs

    # Ended by `kill`, `timeout` or a closed terminal, it stops its server as it does at Ctrl-C.
    interrupted_by_all()
    try:
        with read_from(file, name):
            result = runs.run(experiment, **how).summary
    except KeyboardInterrupt as stopped:
        raise KeyboardInterrupt(AGAIN) from stopped
    print(json.dumps(result) if as_json else said(result))
    if result["gate"] is not None:
        raise GateClosed(result["gate"])


def said(result: dict[str, Any]) -> str:
    """A run's result for people."""
    steps = ", ".join(f"{step['name']} {step['seconds']:.1f}" for step in result["steps"])
    lines = [
        f"{result['experiment']}: done in {result['seconds']:.1f} s",
        f"{'seconds':>10} {steps}",
    ]
    counts = result["counts"]
    if counts["images"] is not None:
        left_out = f", {counts['left_out']} left out of the split" if counts["left_out"] else ""
        turned_down = f"{counts['rejected']} turned down"
        lines.append(f"{'pictures':>10} {counts['images']} usable{left_out}, {turned_down}")
    lines += [f"{'note':>10} {one_line(remark)}" for remark in result["remarks"]]
    if result["passed_over"]:
        lines.append(f"{'no label':>10} {', '.join(map(one_line, result['passed_over']))}")
    metrics = result["metrics"] or {}
    for name, part in metrics.items():
        for title, figure in _figures(result["headline"], part):
            lines.append(
                f"{name:>10} {title} {figure['mean']:.4f}  "
                f"(95 % interval {figure['low']:.4f} to {figure['high']:.4f}, "
                f"{part['images']} pictures)"
            )
    lines += [f"{'model':>10} {result['model']}"] if result["model"] else []
    for name in ("features", "predictions"):
        lines += [f"{name:>10} {result[name]}"] if result[name] else []
    lines += [f"{'report':>10} {Path(result['report']).as_uri()}"] if result["report"] else []
    if result["published"] is not None:
        lines.append(f"{'published':>10} {result['published']}")
    return "\n".join(lines)


def _figures(headline: str, part: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Accuracy of a split, and the headline figure where it is another one."""
    yield "accuracy", part["accuracy"]
    if headline != "accuracy":
        yield headline.replace("_", " "), part[headline]
