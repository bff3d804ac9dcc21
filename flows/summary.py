"""A finished run as one JSON object (docs/operating.md describes it)."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from flows.step_calls import Results
from storage import folders
from storage.folders import METRICS, MODEL, PREDICTIONS, REPORT
from storage.references import SPLITS, EvaluationRef, ImagesRef, ModelRef, ReportRef, SplitRef


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


def note(run: Results, summary: dict[str, Any]) -> Finished:
    """The run and its summary, kept for whoever listens."""
    finished = Finished(summary, run.references)
    ended = _NOTED.get()
    if ended is not None:
        ended.append(finished)
    return finished


def summarise(run: Results) -> dict[str, Any]:
    """The object; parts that the run did not reach are null."""
    images = run.references.get("clean")
    split = run.references.get("split")
    model = run.references.get("train")
    evaluation = run.references.get("evaluate")
    report = run.references.get("publish")
    features = run.references.get("extract")
    return {
        "experiment": run.experiment,
        "seconds": round(run.seconds, 2),
        "steps": [outcome.model_dump() for outcome in run.outcomes],
        "counts": {
            "images": images.images if isinstance(images, ImagesRef) else None,
            "rejected": images.rejected if isinstance(images, ImagesRef) else None,
            "left_out": split.left_out if isinstance(split, SplitRef) else None,
            "decoded": run.counts.get("decoded", 0),
            "extracted": run.counts.get("extracted", 0),
            "epochs": run.counts.get("epochs", 0),
        },
        "metrics": _metrics(run, evaluation) if isinstance(evaluation, EvaluationRef) else None,
        "model": _path(run, model, MODEL) if isinstance(model, ModelRef) else None,
        "report": _path(run, report, REPORT) if isinstance(report, ReportRef) else None,
        "features": str(run.workspace.features / features.space) if features else None,
        "predictions": _path(run, evaluation, PREDICTIONS) if evaluation else None,
    }


def _metrics(run: Results, evaluation: EvaluationRef) -> dict[str, Any]:
    metrics = folders.read_json(run.workspace.path(evaluation) / METRICS)
    return {name: metrics[name] for name in SPLITS if name in metrics}


def _path(run: Results, reference: ModelRef | ReportRef | EvaluationRef, name: str) -> str:
    return str(run.workspace.path(reference) / name)
