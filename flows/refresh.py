"""Revisit a source; run the pipeline only if there is something new."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.parameters import Clean, Experiment, Features, Model, Publish, Split, Training
from flows.pipeline import develop, finish
from flows.running import Run
from storage.workspace import Workspace
from tasks.acquire.parameters import Source
from tasks.acquire.visiting import begin_visit, require_revisitable
from tasks.evaluate.look import Look

UNCHANGED = "Unchanged"


@flow(name="refresh", log_prints=False)
def refresh(
    experiment: str,
    source: Source,
    clean: Clean = Clean(),
    split: Split = Split(),
    model: Model = Features(),
    training: Training = Training(),
    look: Look = Look(),
    publish: Publish = Publish(),
) -> State[Any] | dict[str, Any]:
    """Look at the source again and develop it if its collection has changed.

    Web sources are asked on condition (ETag, Last-Modified), archives and folders are compared by
    content. Ends as "Unchanged" when nothing new was found; else returns what the flow `pipeline`
    returns. With a sticky split old pictures keep their place, and only new ones are decoded and
    extracted.
    """
    parameters = Experiment(
        experiment=experiment, source=source, clean=clean, split=split, model=model,
        training=training, look=look, publish=publish,
    )  # fmt: skip
    require_revisitable(source)
    with Run(experiment, [], None) as run:
        begin_visit(Workspace.current(), source)
        develop(run, parameters, again="all")
    summary = finish(run, parameters)
    # Looking again is an execution of `acquire`; what it found may still be the same.
    if all(one.state == "cached" for one in run.outcomes if one.name != "acquire"):
        return Completed(name=UNCHANGED, message=f"nothing new for {experiment}", data=summary)
    return summary
