"""How the folder of a model, of an evaluation and of a report is laid out."""

from pathlib import Path

# models/<digest>/
MODEL = "model.keras"
CLASSES = "classes.json"
TRAINING = "training.json"
HISTORY = "history.csv"
CARD = "card.md"
NETWORK = "network.json"

# evaluations/<digest>/
PREDICTIONS = "predictions.parquet"
METRICS = "metrics.json"
LOOK = "look.json"
LOOK_ARRAYS = "look.npz"

# reports/<experiment>/<run>/
REPORT = "report.html"
RUN = "run.json"
PLOT = "plot.png"
EIGHT = "eight.png"
GRAD_CAM = "grad_cam"
FEATURE_MAPS = "feature_maps.png"
KERNELS = "kernels.png"
AUGMENTED = "augmented.png"
NETWORK_TABLE = "network.txt"
NETWORK_DRAWING = "network.svg"
LATEST = "latest"


def part_path(folder: Path, repeat: int) -> Path:
    """What one repeat trained, in a model's folder: a head, the layers tuned, a whole network."""
    return folder / "parts" / f"{repeat}.keras"
