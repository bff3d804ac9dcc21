"""The step `publish`: an evaluation goes in, a report comes out."""

from pathlib import Path
from typing import Any

from prefect import task
from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact

from storage import atomic, digests, folders, manifests, records
from storage.layout import LATEST, METRICS, REPORT, TRAINING
from storage.names import as_file_name
from storage.references import (
    SPLITS,
    EvaluationRef,
    ImagesRef,
    ModelRef,
    ReportRef,
    SplitRef,
)
from storage.workspace import Workspace
from tasks.caching import BY_CONTENT
from tasks.publish import markdown, report
from tasks.publish.figures import PublishedFigure


@task(name="publish", cache_policy=BY_CONTENT)
def publish(
    experiment: str,
    images: ImagesRef,
    split: SplitRef,
    model: ModelRef,
    evaluation: EvaluationRef,
    figure: PublishedFigure | None = None,
) -> ReportRef:
    """A new report folder of this experiment, named by the time and what it reports on."""
    workspace = Workspace.current()
    when = records.now()
    run = f"{when[:19].replace(':', '').replace('T', '-')}-{evaluation.digest[:8]}"
    folder = workspace.reports / as_file_name(experiment) / run
    with atomic.new_folder(folder) as new:
        report.write(
            new,
            experiment=experiment,
            when=when,
            model=model.where,
            metrics=folders.read_json(workspace.root / evaluation.where / METRICS),
            training=folders.read_json(workspace.root / model.where / TRAINING),
            rows=manifests.load(workspace.root / images.where),
            split=manifests.load(workspace.root / split.where),
            figure=figure,
        )
    return ReportRef(
        digest=digests.of_value([experiment, run, evaluation.digest]),
        where=workspace.relative(folder),
        experiment=experiment,
        run=run,
    )


def announce(reference: ReportRef) -> dict[str, Any]:
    """Make this report the experiment's latest and show it in Prefect; its metrics.

    Done on every run, cached or not: whoever opens the run's page finds what it stands for.
    """
    workspace = Workspace.current()
    folder = workspace.root / reference.where
    atomic.point(folder.parent / LATEST, folder)
    metrics = folders.read_json(folder / METRICS)
    _show(reference.experiment, folder / REPORT, metrics)
    return {name: metrics[name] for name in SPLITS if name in metrics}


def _show(experiment: str, page: Path, metrics: dict[str, Any]) -> None:
    key = markdown.artifact_key(experiment)
    create_markdown_artifact(markdown.summary(experiment, metrics), key=f"{key}-summary")
    create_table_artifact(markdown.rows(metrics), key=f"{key}-metrics")
    create_link_artifact(page.as_uri(), link_text=f"{page}", key=f"{key}-report")
