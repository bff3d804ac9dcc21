"""The step `publish`: an evaluation goes in, a report comes out."""

from pathlib import Path
from typing import Any

from storage import atomic, digests, folders, manifests, publications, records
from storage.folders import CARD, LATEST, METRICS, PREDICTIONS, REPORT
from storage.names import as_file_name
from storage.references import (
    EvaluationRef,
    FeaturesRef,
    ImagesRef,
    ModelRef,
    ReportRef,
    SplitRef,
)
from storage.workspace import Workspace
from tasks.evaluate.parameters import Evaluate
from tasks.pictures import native_messages
from tasks.pictures.parameters import Augmentation
from tasks.publish import opening, report_folder
from tasks.publish.inputs import ReportInputs, Told
from tasks.publish.page import index
from tasks.publish.parameters import Gate, PublishedFigure
from tasks.publish.release import gate, prefect_artifacts
from tasks.publish.release.publication_card import card
from tasks.running.results import lock_of
from tasks.running.steps import step

# How the run went is told, but the same evaluation needs no second report.
WITHOUT_EFFECT = frozenset({"told"})


@step(without_effect=WITHOUT_EFFECT)
def publish(
    experiment: str,
    images: ImagesRef,
    split: SplitRef,
    features: FeaturesRef,
    model: ModelRef,
    evaluation: EvaluationRef,
    figure: PublishedFigure | None = None,
    augmentation: Augmentation | None = None,
    remarks: tuple[str, ...] | None = None,
    judged: Evaluate = Evaluate(),
    told: Told = Told(),
) -> ReportRef:
    """A new report folder of this experiment, named by the time and what it reports on.

    `augmentation` is that of training: a sheet shows what it does to pictures. `remarks` are those
    of the steps before; `judged` says which metric leads.
    """
    workspace = Workspace.current()
    when = records.now()
    run = f"{when[:19].replace(':', '').replace('T', '-')}-{evaluation.digest[:8]}"
    inputs = opening.for_report(
        workspace, experiment, run, when,
        images=images, split=split, features=features, model=model, evaluation=evaluation,
        figure=figure, augmentation=augmentation, remarks=remarks or (), told=told,
        leading=judged.headline,
    )  # fmt: skip
    target = workspace.reports / as_file_name(experiment) / run
    with folders.new_folder(target) as new, native_messages.quiet():
        report_folder.write(new, inputs)
    return ReportRef(
        digest=digests.of_value([experiment, run, evaluation.digest]),
        where=workspace.relative(target),
        experiment=experiment,
        run=run,
    )


def announce(reference: ReportRef) -> None:
    """Make this report the experiment's latest, on every run, cached or not."""
    target = Workspace.current().path(reference)
    atomic.point(target.parent / LATEST, target)


def show_in_prefect(reference: ReportRef) -> None:
    """Whoever opens the page of this flow run, cached or not, finds what it stands for."""
    target = Workspace.current().path(reference)
    _show(reference.experiment, target / REPORT, folders.read_json(target / METRICS))


def release(
    report: ReportRef,
    *,
    images: ImagesRef,
    split: SplitRef,
    features: FeaturesRef,
    model: ModelRef,
    evaluation: EvaluationRef,
    rule: Gate,
    judged: Evaluate = Evaluate(),
    trained_now: bool,
) -> str:
    """Publish the model if the gate holds, and say what became of it.

    GateClosed, after the index is made, if it does not hold. A model that was taken back stays so
    until it is trained anew; without test pictures there is nothing to judge by, and nothing is
    published. One run at a time: what a model is compared with is what it takes the place of.
    """
    workspace = Workspace.current()
    metrics = folders.read_json(workspace.path(evaluation) / METRICS)
    with lock_of(workspace, "release"):
        current = publications.current(workspace, report.experiment)
        taken_back = publications.was_taken_back(workspace, report.experiment, model.where)
        left = None
        if not split.test:
            left = "no: there are no test pictures to judge by"
        elif current is not None and current.model == model.where:
            index.write(workspace)
            gate.require_bounds(rule, metrics["test"], report.experiment, judged.headline)
            return "yes, as before"
        elif taken_back and not trained_now:
            left = "no: it was taken back; --rerun train publishes it again"
        if left is not None:
            index.write(workspace)
            return left
        inputs = opening.opened(
            workspace, report.experiment, report.run, records.now(),
            images=images, split=split, features=features, model=model, evaluation=evaluation,
        )  # fmt: skip
        earlier = _predictions(workspace, current)
        judgement = gate.judge(
            rule, inputs.predictions, earlier,
            metrics=metrics["test"], first=current is None, headline=judged.headline,
        )  # fmt: skip
        if judgement.holds:
            publications.publish(workspace, _publication(workspace, report, inputs, judgement))
        index.write(workspace)
        gate.require(judgement, report.experiment)
        return f"yes: {judgement.text}"


def _predictions(workspace: Workspace, current: publications.Publication | None) -> Any:
    path = workspace.root / current.evaluation / PREDICTIONS if current else None
    return manifests.load(path) if path is not None and path.exists() else None


def _publication(
    workspace: Workspace, report: ReportRef, inputs: ReportInputs, judgement: gate.Judgement
) -> publications.Publication:
    trained = (workspace.root / inputs.model / CARD).read_text(encoding="utf-8")
    return publications.Publication(
        experiment=report.experiment,
        when=inputs.when,
        model=inputs.model,
        evaluation=inputs.evaluation,
        report=report.where,
        accuracy=inputs.headline["accuracy"]["published"],
        judgement=judgement.text,
        card=card(inputs, judgement, trained),
    )


def _show(experiment: str, page: Path, metrics: dict[str, Any]) -> None:
    from prefect.artifacts import (
        create_link_artifact,
        create_markdown_artifact,
        create_table_artifact,
    )

    key = prefect_artifacts.artifact_key(experiment)
    create_markdown_artifact(prefect_artifacts.summary(experiment, metrics), key=f"{key}-summary")
    create_table_artifact(prefect_artifacts.rows(metrics), key=f"{key}-metrics")
    create_link_artifact(page.as_uri(), link_text=f"{page}", key=f"{key}-report")
