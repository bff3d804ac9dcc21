"""A finished run as one JSON object: what `darkroom run NAME --json` prints last."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from pydantic import BaseModel, Field

from flows.step_calls import Results
from storage import folders, manifests
from storage.folders import METRICS, MODEL, PREDICTIONS, REPORT
from storage.references import (
    SPLITS,
    EvaluationRef,
    ImagesRef,
    ModelRef,
    Reference,
    ReportRef,
    SplitRef,
)
from storage.statuses import Status
from tasks.running.outcomes import StepOutcome

MOST_NAMES = 10
WITH_REMARKS = ("acquire", "clean", "split", "extract")
WITHOUT_LABEL = (Status.UNLABELLED, Status.EMPTY_FOLDER)


class Counts(BaseModel):
    """Pictures, and work done in this run."""

    images: int | None = Field(description="Usable pictures.")
    rejected: int | None = Field(description="Pictures turned down, each with a reason.")
    left_out: int | None = Field(description="Usable pictures that are in no split.")
    decoded: int = Field(description="Pictures decoded in this run.")
    extracted: int = Field(description="Views of pictures that went through the backbone.")
    epochs: int = Field(description="Epochs trained.")


class Summary(BaseModel):
    """What a run gave; what it did not come to is null."""

    experiment: str = Field(description="Its name.")
    seconds: float = Field(description="The whole run, Prefect's start left out.")
    steps: list[StepOutcome] = Field(description="Each step, in order.")
    counts: Counts = Field(description="Pictures, and work done in this run.")
    passed_over: list[str] = Field(
        description=f"Files without a label and empty class folders, the first {MOST_NAMES}."
    )
    remarks: list[str] = Field(
        description="How the source was understood, and what else one should know of the pictures."
    )
    metrics: dict[str, Any] | None = Field(
        description="By split its `images`, then each metric: its `mean` over repeats, the one of "
        "the `published` repeat; of `accuracy`, `balanced_accuracy` and `macro_f1` also the mean's "
        "95 % interval `low` to `high`, the `deviation` over repeats and each one's value in "
        "`repeats`. Then `per_class` (precision, "
        "recall, F1, pictures) and `confusion` (rows are true classes) of the published repeat."
    )
    headline: str = Field(
        description="Which metric is the figure that the model stands and falls by."
    )
    model: str | None = Field(description="Where `model.keras` is.")
    report: str | None = Field(description="Where `report.html` is.")
    features: str | None = Field(description="The folder of feature shards.")
    predictions: str | None = Field(
        description="The table of predictions, one row per picture (Parquet)."
    )
    gate: str | None = Field(None, description="Why the gate is closed.")
    published: str | None = Field(None, description="What became of the model, in words.")


class Finished(NamedTuple):
    """A run that has ended: what `--json` prints, and the references that its steps gave."""

    summary: dict[str, Any]
    references: dict[str, Any]


_NOTED: ContextVar[list[Finished] | None] = ContextVar("noted", default=None)


@contextmanager
def noted() -> Iterator[list[Finished]]:
    """The runs that end during the block, also one that then fails at the gate."""
    ended: list[Finished] = []
    token = _NOTED.set(ended)
    try:
        yield ended
    finally:
        _NOTED.reset(token)


def note(run: Results, summary: Summary) -> Finished:
    """The run and its summary, kept for whoever listens."""
    finished = Finished(summary.model_dump(mode="json"), run.references)
    ended = _NOTED.get()
    if ended is not None:
        ended.append(finished)
    return finished


def summarise(run: Results, headline: str) -> Summary:
    """What the steps of a run gave."""
    images = run.references.get("clean")
    split = run.references.get("split")
    model = run.references.get("train")
    evaluation = run.references.get("evaluate")
    report = run.references.get("publish")
    features = run.references.get("extract")
    said = [run.references[name] for name in WITH_REMARKS if name in run.references]
    return Summary(
        experiment=run.experiment,
        seconds=round(run.seconds, 2),
        steps=run.outcomes,
        counts=Counts(
            images=images.images if isinstance(images, ImagesRef) else None,
            rejected=images.rejected if isinstance(images, ImagesRef) else None,
            left_out=split.left_out if isinstance(split, SplitRef) else None,
            decoded=run.counts.get("decoded", 0),
            extracted=run.counts.get("extracted", 0),
            epochs=run.counts.get("epochs", 0),
        ),
        passed_over=_passed_over(run, images) if isinstance(images, ImagesRef) else [],
        remarks=list(remarks_of(said) or ()),
        metrics=_metrics(run, evaluation) if isinstance(evaluation, EvaluationRef) else None,
        headline=headline,
        model=_path(run, model, MODEL) if isinstance(model, ModelRef) else None,
        report=_path(run, report, REPORT) if isinstance(report, ReportRef) else None,
        features=str(run.workspace.features / features.space) if features else None,
        predictions=_path(run, evaluation, PREDICTIONS) if evaluation else None,
    )


def remarks_of(made: Sequence[Any]) -> tuple[str, ...] | None:
    """What the steps said of the pictures; None while one of them has not run."""
    if not all(isinstance(one, Reference) for one in made):
        return None
    return tuple(remark for one in made for remark in one.remarks)


def _metrics(run: Results, evaluation: EvaluationRef) -> dict[str, Any]:
    metrics = folders.read_json(run.workspace.path(evaluation) / METRICS)
    return {name: metrics[name] for name in SPLITS if name in metrics}


def _passed_over(run: Results, images: ImagesRef) -> list[str]:
    rows = manifests.load(run.workspace.path(images))
    found = rows.loc[rows["status"].isin(WITHOUT_LABEL), ["name", "status"]].head(MOST_NAMES)
    return [f"{name} ({status})" for name, status in found.itertuples(index=False)]


def _path(run: Results, reference: ModelRef | ReportRef | EvaluationRef, name: str) -> str:
    return str(run.workspace.path(reference) / name)
