"""A finished run as one JSON object (docs/operating.md describes it)."""

from typing import Any

from flows.running import Run
from storage import folders
from storage.layout import METRICS, MODEL, REPORT
from storage.references import SPLITS, EvaluationRef, ImagesRef, ModelRef, ReportRef, SplitRef


def summarise(run: Run) -> dict[str, Any]:
    """The object; parts that the run did not reach are null."""
    images = run.references.get("clean")
    split = run.references.get("split")
    model = run.references.get("train")
    evaluation = run.references.get("evaluate")
    report = run.references.get("publish")
    return {
        "experiment": run.experiment,
        "seconds": round(run.seconds, 2),
        "steps": [outcome.model_dump() for outcome in run.outcomes],
        "counts": {
            "images": images.images if isinstance(images, ImagesRef) else None,
            "rejected": images.rejected if isinstance(images, ImagesRef) else None,
            "left_out": split.left_out if isinstance(split, SplitRef) else None,
            "decoded": run.tally.get("decoded", 0),
            "extracted": run.tally.get("extracted", 0),
            "epochs": run.tally.get("epochs", 0),
        },
        "metrics": _metrics(run, evaluation) if isinstance(evaluation, EvaluationRef) else None,
        "model": _path(run, model, MODEL) if isinstance(model, ModelRef) else None,
        "report": _path(run, report, REPORT) if isinstance(report, ReportRef) else None,
    }


def _metrics(run: Run, evaluation: EvaluationRef) -> dict[str, Any]:
    metrics = folders.read_json(run.workspace.root / evaluation.where / METRICS)
    return {name: metrics[name] for name in SPLITS if name in metrics}


def _path(run: Run, reference: ModelRef | ReportRef, name: str) -> str:
    return str(run.workspace.root / reference.where / name)
