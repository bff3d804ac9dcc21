"""The flow `pipeline`: raw pictures in, an evaluated image classifier out."""

from typing import Any, Literal

from flows.experiments import plan
from flows.orchestration.experiment_flow import experiment_flow
from flows.parameters import Experiment, StepName
from flows.step_calls import Run, whole
from flows.steps import develop, finish
from tasks.acquire.kinds import begin_visit, distrust, fetch
from tasks.clean import corrections


@experiment_flow
def pipeline(
    experiment: Experiment,
    rerun: list[StepName] = [],  # noqa: B006 - Prefect's form shows the default
    until: StepName | None = None,
    retry: Literal["failed"] | None = None,
) -> dict[str, Any]:
    """Develop raw pictures into an evaluated image classifier.

    Seven cached steps: acquire, clean, split, extract, train, evaluate, publish. `set` changes
    single values: {"training.epochs": 5}. `rerun` names steps that run even if nothing changed,
    `until` the last step to run; `retry` takes up downloads that failed and may succeed now.
    Returns what `darkroom run --json` prints.
    """
    prepare = begin_visit if retry else fetch

    def carried_out() -> dict[str, Any]:
        with Run(experiment.experiment, list(rerun), until, plan(experiment)) as run:
            prepare(run.workspace, experiment.source)
            corrections.keep(run.workspace, experiment.source.corrections)
            if "acquire" in rerun:
                distrust(run.workspace, experiment.source)
            develop(run, experiment, again=retry or "no")
        return finish(run, experiment).summary

    return whole(carried_out)
