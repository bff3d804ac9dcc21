"""The seven steps, from a source to a report."""

from typing import Any, Literal

from prefect import flow

from flows.experiments import command
from flows.parameters import (
    Clean,
    Experiment,
    Features,
    Model,
    Publish,
    Split,
    StepName,
    Training,
)
from flows.running import Forecast, Outcome, Run
from flows.summary import summarise
from storage.errors import GateClosed
from storage.workspace import Workspace
from tasks.acquire.identity import fingerprint, visits
from tasks.acquire.parameters import Source
from tasks.acquire.step import Again, acquire
from tasks.acquire.visiting import begin_visit, fetch
from tasks.clean.step import clean
from tasks.evaluate.look import Look
from tasks.evaluate.step import evaluate
from tasks.extract.step import extract
from tasks.publish.step import announce, publish, release
from tasks.split.lineage import previous_assignment
from tasks.split.step import split
from tasks.train.step import train


def develop(call: Run | Forecast, p: Experiment, again: Again = "no") -> None:
    """The steps in their order; `call` runs each one, or foretells what it would do."""
    workspace = Workspace.current()
    collection = call(
        acquire,
        source=p.source,
        fingerprint=fingerprint(workspace, p.source),
        visits=visits(workspace, p.source),
        again=again,
    )
    images = call(
        clean,
        collection=collection,
        min_side=p.clean.min_side,
        max_pixels=p.clean.max_pixels,
        near_duplicates=p.clean.near_duplicates,
    )
    line = p.experiment if p.split.rule == "sticky" else None
    shares = call(
        split,
        images=images,
        rule=p.split.rule,
        amounts=p.split.amounts,
        seed=p.split.seed,
        line=line,
        previous=previous_assignment(workspace, line, p.split.seed, images, p.split.amounts),
    )
    features = call(extract, split=shares, **p.extraction())
    model = call(
        train,
        split=shares,
        features=features,
        part=p.model.part(),
        weights=p.model.weights,
        **dict(p.training),
    )
    evaluation = call(evaluate, split=shares, features=features, model=model, look=p.look)
    call(
        publish,
        experiment=p.experiment,
        images=images,
        split=shares,
        features=features,
        model=model,
        evaluation=evaluation,
        figure=p.publish.figure,
        steps=call.taken(),
        parameters=p.model_dump(mode="json", exclude={"experiment"}),
        command=command(p),
        augmentation=p.training.augmentation,
        image_size=p.model.image_size,
        near_duplicates=p.clean.near_duplicates,
    )


@flow(name="pipeline", log_prints=False, retries=0)
def pipeline(
    experiment: str,
    source: Source,
    clean: Clean = Clean(),
    split: Split = Split(),
    model: Model = Features(),
    training: Training = Training(),
    look: Look = Look(),
    publish: Publish = Publish(),
    rerun: list[StepName] = [],  # noqa: B006 - Prefect's form shows the default
    until: StepName | None = None,
    retry: Literal["failed"] | None = None,
) -> dict[str, Any]:
    """Develop raw pictures into an evaluated image classifier.

    Seven cached steps: acquire, clean, split, extract, train, evaluate, publish. `rerun` names
    steps that run even if nothing changed, `until` the last step to run; `retry` takes up downloads
    that failed and may succeed now. Returns what `darkroom run --json` prints.
    """
    parameters = Experiment(
        experiment=experiment, source=source, clean=clean, split=split, model=model,
        training=training, look=look, publish=publish,
    )  # fmt: skip
    workspace = Workspace.current()
    prepare = begin_visit if retry else fetch
    with Run(experiment, list(rerun), until) as run:
        prepare(workspace, source)
        develop(run, parameters, again=retry or "no")
    return finish(run, parameters)


def finish(run: Run, parameters: Experiment) -> dict[str, Any]:
    """Show what a run gave, publish its model if the gate holds, and sum the run up.

    GateClosed, with the sum as its `summary`, where the gate does not hold: the run has failed.
    """
    summary = summarise(run)
    if "publish" in run.references:
        announce(run.references["publish"])
    try:
        published = _release(run, parameters)
    except GateClosed as closed:
        closed.summary = summary | {"gate": str(closed), "published": None}
        raise
    return summary | {"gate": None, "published": published}


def _release(run: Run, parameters: Experiment) -> str | None:
    """What became of the model, in words; None if the run did not come so far."""
    made = run.references
    if "publish" not in made:
        return None
    return release(
        made["publish"],
        images=made["clean"],
        split=made["split"],
        features=made["extract"],
        model=made["train"],
        evaluation=made["evaluate"],
        rule=parameters.publish.gate,
        trained_now=any(one.name == "train" and one.state == "executed" for one in run.outcomes),
    )


def foretell(parameters: Experiment, rerun: list[str]) -> list[Outcome]:
    """What each step would do, and why, without running any."""
    forecast = Forecast(parameters.experiment, rerun)
    develop(forecast, parameters)
    return forecast.outcomes
