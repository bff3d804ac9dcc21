"""Result folders, named by content (models, evaluations) or by run (reports), and their files."""

import contextlib
import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from storage import atomic, digests, fingerprints
from storage.errors import MEND, StorageDamaged

# Raised when what such a folder holds is laid out in another way.
FORMAT = 1

CONTENTS = "contents.json"

MODEL = "model.keras"
OPENVINO = "model.xml"
OPENVINO_WEIGHTS = "model.bin"
CLASSES = "classes.json"
TRAINING = "training.json"
HISTORY = "history.csv"
TRIED = "tried.csv"
UNSEEN = "validation.parquet"
CARD = "card.md"
NETWORK = "network.json"
TRAINED_PARTS = "parts"

PREDICTIONS = "predictions.parquet"
METRICS = "metrics.json"
PARITY = "parity.json"
LOOK = "look.json"
LOOK_ARRAYS = "look.npz"
DIAGNOSIS = "diagnosis.json"
CURVES = "curves.parquet"
LABEL_ERRORS = "label_errors.parquet"

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
INDEX = "index.html"

# What each file of a result folder holds, for people (docs/reference/folders.md).
HELD = {
    "models/<digest>": {
        MODEL: "The model that people use: raw pictures in, class probabilities out.",
        OPENVINO: "The same model as OpenVINO takes it, where that is installed: its layers.",
        OPENVINO_WEIGHTS: "The weights of those.",
        CLASSES: "Class names, in the order of the probabilities.",
        TRAINING: "What was trained, on what, and every epoch of every repeat.",
        HISTORY: "The same epochs as a table: a row per seed and epoch.",
        TRIED: "Of a head that was chosen, the candidates: a row each, with what they reached.",
        UNSEEN: "What that head said of validation pictures before it learned from them as well.",
        NETWORK: "Its layers, as plain values.",
        CARD: "What it is, takes and gives, for people.",
        TRAINED_PARTS: "What each repeat trained: a head, the layers tuned, a whole network.",
        CONTENTS: "Sizes and SHA-256 of all these files: they say whether the folder is whole.",
    },
    "evaluations/<digest>": {
        PREDICTIONS: "A row per picture: image, name, split, label, probability of each class.",
        METRICS: "Per split: metrics over the repeats, per class, the confusion matrix.",
        DIAGNOSIS: "Calibration, slices, areas under curves, how labels were judged.",
        CURVES: "Points of the ROC and precision-recall curves.",
        LABEL_ERRORS: "Pictures whose label is doubtful, the most doubtful first.",
        PARITY: "How far OpenVINO's form of the model agrees with all this.",
        LOOK: "Which layer and pictures were looked at closely.",
        LOOK_ARRAYS: "Feature maps and Grad-CAM of those.",
        CONTENTS: "Sizes and SHA-256, as above.",
    },
    "reports/<experiment>/<run>": {
        REPORT: "The page: one file that works offline.",
        METRICS: "The evaluation's metrics.",
        RUN: "The run as the index over all runs needs it.",
        PLOT: "Loss and accuracy by epoch.",
        EIGHT: "Eight pictures with what the model says of them.",
        NETWORK_TABLE: "The layers as a table.",
        NETWORK_DRAWING: "The layers drawn.",
        FEATURE_MAPS: "What a layer makes of one picture.",
        KERNELS: "The first convolution's kernels.",
        AUGMENTED: "What augmentation does to pictures.",
        GRAD_CAM: "Where in pictures lies what speaks for the class.",
        CONTENTS: "Sizes and SHA-256, as above.",
    },
}


def part_path(folder: Path, repeat: int) -> Path:
    """What one repeat trained, in a model's folder: a head, the layers tuned, a whole network."""
    return folder / TRAINED_PARTS / f"{repeat}.keras"


@contextlib.contextmanager
def new_folder(target: Path, *, keep_whole: bool = False) -> Iterator[Path]:
    """A temporary sibling folder to fill; it becomes `target` if the block ends without an error.

    Where `target` already exists it is replaced, unless another process replaced it meanwhile:
    both hold the same content then, since folders are named by what they hold. With `keep_whole`
    a `target` that is sealed and whole stays, and the new folder goes: a kill between the two
    renames of a replacement would lose both.
    """
    with atomic.explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=atomic.half(atomic.WRITER), dir=target.parent))
        try:
            yield temporary
            if not (keep_whole and is_intact(target)):
                temporary.chmod(0o755)
                _swap(temporary, target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _swap(temporary: Path, target: Path) -> None:
    retired = temporary.with_name(temporary.name + "-old")
    with contextlib.suppress(FileNotFoundError):
        os.rename(target, retired)
    try:
        os.rename(temporary, target)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
    shutil.rmtree(retired, ignore_errors=True)


def seal(folder: Path) -> None:
    """Write down size and SHA-256 of every file in `folder`: a later look can tell it is whole."""
    contents = {
        path.relative_to(folder).as_posix(): {
            "bytes": path.stat().st_size,
            "sha256": digests.of_file(path),
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != folder / CONTENTS
    }
    atomic.write_json(folder / CONTENTS, contents)


def is_sealed(folder: Path) -> bool:
    """Whether every file of a sealed folder is there with its size; none is opened."""
    try:
        return all(path.stat().st_size == size for path, size, _ in _contents(folder))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def has_size(path: Path, size: int) -> bool:
    """Whether a file is there with this many bytes; it is not opened."""
    try:
        return path.stat().st_size == size
    except OSError:
        return False


def is_intact(folder: Path) -> bool:
    """Whether every file of a sealed folder holds what was sealed; a process reads each once."""
    return is_sealed(folder) and all(
        fingerprints.holds(path, digest) for path, _, digest in _contents(folder)
    )


def require_intact(folder: Path) -> None:
    """StorageDamaged unless the folder `is_intact`: before what it holds is built on."""
    if not is_intact(folder):
        raise StorageDamaged(f"{folder} is damaged: {MEND}")


def require_sealed(path: Path) -> None:
    """StorageDamaged if `path` is not what was sealed; a file in no sealed folder is not judged."""
    try:
        sealed = {file: digest for file, _, digest in _contents(path.parent)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return
    if path in sealed and not fingerprints.holds(path, sealed[path]):
        raise StorageDamaged(f"{path} is damaged: {MEND}")


def damaged(found: Iterable[Path]) -> Iterator[Path]:
    """Those of these result folders whose files are not what was sealed; all are read."""
    return (folder for folder in found if not is_intact(folder))


def _contents(folder: Path) -> Iterator[tuple[Path, int, str]]:
    """Path, bytes and SHA-256 of every sealed file."""
    for name, known in json.loads((folder / CONTENTS).read_text(encoding="utf-8")).items():
        yield folder / name, known["bytes"], known["sha256"]


def read_json(path: Path) -> Any:
    """The JSON value in `path`; StorageDamaged when it is missing, malformed or not as sealed."""
    require_sealed(path)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StorageDamaged(f"expected JSON at {path}, found none ({error}): {MEND}") from error
