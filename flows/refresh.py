"""The flow `refresh`: revisit a source; run the pipeline only if there is something new."""

from typing import Any

from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.experiments import plan
from flows.orchestration.experiment_flow import experiment_flow
from flows.parameters import Experiment
from flows.step_calls import Run, whole
from flows.steps import develop, finish
from tasks.acquire.kinds import begin_visit
from tasks.acquire.kinds.archive import require_revisitable
from tasks.clean import corrections

UNCHANGED = "Unchanged"


@experiment_flow
def refresh(experiment: Experiment) -> State[Any] | dict[str, Any]:
    """Look at the source again and develop it if its collection has changed.

    Web sources are asked on condition (ETag, Last-Modified), archives and folders are compared by
    content. Ends as "Unchanged" when nothing new was found; else returns what the flow `pipeline`
    returns. With a sticky split old pictures keep their place, and only new ones are decoded and
    extracted. `set` changes single values: {"training.epochs": 5}.
    """
    require_revisitable(experiment.source)

    def carried_out() -> tuple[Run, dict[str, Any]]:
        with Run(experiment.experiment, [], None, plan(experiment)) as run:
            begin_visit(run.workspace, experiment.source)
            corrections.keep(run.workspace, experiment.source.corrections)
            develop(run, experiment, again="all")
        return run, finish(run, experiment).summary

    run, summary = whole(carried_out)
    # Looking again is an execution of `acquire`; what it found may still be the same.
    if all(one.state == "cached" for one in run.outcomes if one.name != "acquire"):
        message = f"nothing new for {experiment.experiment}"
        return Completed(name=UNCHANGED, message=message, data=summary)
    return summary
