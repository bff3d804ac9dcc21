"""The seven steps, from a source to a report: run, foretold, or taken from what is stored."""

from contextlib import suppress

from flows.experiments import command
from flows.parameters import Experiment
from flows.step_calls import Cached, Forecast, NotCached, Reached, Results, Run
from flows.summary import Finished, note, noted, remarks_of, summarise
from storage import elsewhere
from storage.errors import GateClosed, StorageDamaged
from storage.workspace import Workspace
from tasks.acquire.gathering import Again
from tasks.acquire.kinds import fingerprint, visits
from tasks.acquire.step import acquire
from tasks.clean import corrections
from tasks.clean.step import clean
from tasks.evaluate.step import evaluate
from tasks.extract.step import extract
from tasks.publish.inputs import Told
from tasks.publish.step import announce, publish, release, show_in_prefect
from tasks.running.outcomes import StepOutcome
from tasks.split.lineage import previous_assignment
from tasks.split.step import split
from tasks.train.step import train


def develop(call: Run | Forecast | Cached, p: Experiment, again: Again = "no") -> None:
    """The steps in their order; `call` runs each one, foretells it, or takes what is stored."""
    workspace = Workspace.current()
    lists = p.split.list_files
    collection = call(
        acquire,
        source=p.source,
        lists=lists,
        fingerprint=fingerprint(workspace, p.source, lists),
        visits=visits(workspace, p.source),
        again=again,
    )
    images = call(
        clean,
        collection=collection,
        parameters=p.clean,
        needed=p.split.needed,
        splits=p.split.splits,
        burst_seconds=p.source.burst_seconds,
        looking=p.looking(),
        corrections=corrections.reference(workspace, p.source.corrections),
        new_classes=p.source.new_classes,
        engine=p.engine,
    )
    lineage = p.experiment if p.split.is_sticky else None
    shares = call(
        split,
        images=images,
        parameters=p.split,
        lineage=lineage,
        previous=previous_assignment(workspace, lineage, p.split, images),
    )
    features = call(
        extract,
        split=shares,
        model=p.model.extraction(),
        training=p.drawing(),
        engine=p.engine,
    )
    model = call(
        train,
        split=shares,
        features=features,
        model=p.model.part(),
        training=p.training,
        weights=p.model.extraction().weights,
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
        augmentation=p.training.augmentation,
        remarks=remarks_of([collection, images, shares, features]),
        judged=p.evaluate,
        told=Told(
            steps=tuple(call.outcomes),
            parameters=p.model_dump(mode="json", exclude={"experiment"}),
            command=command(p),
        ),
    )


def foretell(parameters: Experiment, rerun: list[str]) -> list[StepOutcome]:
    """What each step would do, and why, without running any."""
    forecast = Forecast(parameters.experiment, rerun)
    elsewhere.begin(forecast.workspace)
    develop(forecast, parameters)
    elsewhere.tell_if_away(forecast.workspace)
    return forecast.outcomes


def answer_from_stored(parameters: Experiment, until: str | None) -> Finished | None:
    """The end of a run for which everything is stored, whole; None where a step has to run."""
    workspace = Workspace.current()
    if not workspace.results.is_dir() and elsewhere.remote(workspace) is None:
        return None
    elsewhere.begin(workspace)
    stored = Cached(parameters.experiment, until)
    try:
        develop(stored, parameters)
    except (NotCached, StorageDamaged):
        return None
    except Reached:
        pass
    stored.settle()
    try:
        with noted() as ended, suppress(GateClosed):
            finish(stored, parameters)
    except StorageDamaged:
        return None
    return ended[-1]


def finish(run: Results, parameters: Experiment) -> Finished:
    """Show what a run gave, publish its model if the gate holds, and sum the run up.

    GateClosed, once the sum is noted, where the gate does not hold: the run has failed.
    """
    summary = summarise(run, parameters.evaluate.headline)
    if "publish" in run.references:
        announce(run.references["publish"])
        if isinstance(run, Run):
            show_in_prefect(run.references["publish"])
    try:
        published = _release(run, parameters)
    except GateClosed as closed:
        note(run, summary.model_copy(update={"gate": str(closed)}))
        raise
    finally:
        elsewhere.exchange_pointers(run.workspace)
        elsewhere.tell_if_away(run.workspace)
    return note(run, summary.model_copy(update={"published": published}))


def _release(run: Results, parameters: Experiment) -> str | None:
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
        judged=parameters.evaluate,
        trained_now=any(one.name == "train" and one.state == "executed" for one in run.outcomes),
    )
