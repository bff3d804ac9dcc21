"""How the folder of a model, of an evaluation and of a report is laid out."""

from pathlib import Path

# models/<digest>/
MODEL = "model.keras"
CLASSES = "classes.json"
TRAINING = "training.json"
CARD = "card.md"

# evaluations/<digest>/
PREDICTIONS = "predictions.parquet"
METRICS = "metrics.json"

# reports/<experiment>/<run>/
REPORT = "report.html"
RUN = "run.json"
PLOT = "plot.png"
LATEST = "latest"


def head_path(folder: Path, repeat: int) -> Path:
    """The head of one repeat in a model's folder."""
    return folder / "heads" / f"{repeat}.keras"
