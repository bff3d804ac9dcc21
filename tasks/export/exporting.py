"""From a published model to a folder that another runtime reads, judged on pictures by both."""

import dataclasses
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from storage import atomic, elsewhere, folders, manifests
from storage.errors import ExportDiffers, ParameterError
from storage.folders import CARD, CLASSES, PREDICTIONS
from storage.images import ImageStore
from storage.references import SPLITS
from storage.workspace import Workspace
from tasks.export.formats import FORMATS, Compute, written
from tasks.features.keras_file import require_plain
from tasks.pictures.decoding import Problem, decode
from tasks.publish.page import lookup, run_entry
from tasks.running.tensorflow import load_keras
from tasks.train.model_folder.openvino_form import in_float32

PICTURES = 200
# Of pictures that are made where there are none: enough to see that both compute the same.
MADE = 20
FEWEST_EQUAL, LARGEST = 0.995, 0.02
README = "README.md"
NAMED = 20
PARITY = "parity.json"


@dataclasses.dataclass(frozen=True)
class Agreement:
    """How far an exported file gives what the model gives, in its own runtime.

    `of` says which pictures; `equal` of `pictures` get the same class, and no probability differs
    by more than `largest`.
    """

    of: str
    pictures: int
    equal: int
    largest: float

    @property
    def holds(self) -> bool:
        """Whether that is close enough to be used in its place."""
        return self.equal >= FEWEST_EQUAL * self.pictures and self.largest < LARGEST


def export(file: Path, to: str, target: Path) -> Agreement:
    """Write a `model.keras` in another format, with class names, card and five lines of use.

    ExportDiffers, and nothing is left at `target`, where the file does not give what the model
    gives. ParameterError if `target` is there already.
    """
    if target.exists():
        raise ParameterError(f"{target} is there already: name a folder that is not")
    require_plain(file)
    folders.require_sealed(file)
    form = FORMATS[to]
    form.require()
    model = load_keras().saving.load_model(file)
    classes = folders.read_json(file.parent / CLASSES)
    which, pictures = _pictures(file)
    with folders.new_folder(target) as folder:
        with in_float32(model):
            said = _each(lambda one: np.asarray(model(one, training=False)), pictures)
            path = written(model, to, folder)
        agreed = compared(which, said, _each(form.opened(path), pictures))
        if not agreed.holds:
            raise ExportDiffers(
                f"the {to} file gives {agreed.equal} of {agreed.pictures} {which} the class that "
                f"the model gives, and probabilities differ by up to {agreed.largest:.4f}: it is "
                f"not to be used (expected {FEWEST_EQUAL:.1%}, and less than {LARGEST})"
            )
        atomic.write_json(folder / CLASSES, classes)
        if (file.parent / CARD).is_file():
            shutil.copyfile(file.parent / CARD, folder / CARD)
        atomic.write_json(folder / PARITY, dataclasses.asdict(agreed))
        (folder / README).write_text(_readme(to, classes, agreed), encoding="utf-8")
    return agreed


def compared(of: str, expected: np.ndarray, found: np.ndarray) -> Agreement:
    """Of (n, classes) probabilities of the same pictures."""
    equal = int((expected.argmax(axis=1) == found.argmax(axis=1)).sum())
    return Agreement(of, len(expected), equal, float(np.abs(expected - found).max()))


def _each(compute: Compute, pictures: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([compute(one[None].astype(np.float32)) for one in pictures])


def _pictures(file: Path) -> tuple[str, list[np.ndarray]]:
    """What they are, and RGB pixels of test pictures of this model; made ones where it has none."""
    workspace = Workspace.current()
    images = ImageStore(workspace.images)
    found = []
    split, names = _tested(workspace, file)
    for name in names:
        path = images.path(name)
        here = path.is_file() or elsewhere.fetched(path)
        pixels = decode(images.read(name)) if here else None
        if pixels is not None and not isinstance(pixels, Problem):
            found.append(pixels)
    if found:
        return f"{split} pictures", found
    return "made pictures", [_made(number) for number in range(MADE)]


def _tested(workspace: Workspace, file: Path) -> tuple[str, list[str]]:
    """The split, and at most PICTURES stored names, of what this model was tested on."""
    for report in lookup.all_runs(workspace):
        one = run_entry.of_folder(report)
        if one and (workspace.root / one["model"]).resolve() == file.resolve().parent:
            evaluation = lookup.evaluation_of(workspace, one)
            if evaluation is not None:
                table = manifests.load(evaluation / PREDICTIONS)
                split = [name for name in SPLITS if (table["split"] == name).any()][-1]
                shown = table[table["split"] == split]
                some = shown.sample(min(PICTURES, len(shown)), random_state=0)
                return split, [str(name) for name in some["image"]]
    return "", []


def _made(number: int) -> np.ndarray:
    """(height, width, 3) uint8: smooth colours, each number's its own."""
    from tasks.pictures.opencv import cv2

    draw = np.random.default_rng(number)
    coarse = draw.integers(0, 256, (6, 8, 3)).astype(np.uint8)
    height, width = (int(side) for side in draw.integers(100, 400, 2))
    found: np.ndarray = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return found


def _readme(to: str, classes: list[Any], agreed: Agreement) -> str:
    form = FORMATS[to]
    names = json.dumps(classes[:NAMED], ensure_ascii=False)
    more = " and more" if len(classes) > NAMED else ""
    return (
        f"# A Darkroom model for {form.runtime}\n\n"
        f"`{form.file}` takes pictures (n, height, width, 3), RGB in [0, 255] as float32, of any "
        f"size, and gives (n, {len(classes)}) probabilities in the order of `{CLASSES}`: "
        f"{names}{more}.\n\n"
        f"```python\n{form.lines}```\n\n"
        f"Compared with the model on {agreed.pictures} {agreed.of}: {agreed.equal} get the "
        f"same class, and no probability differs by more than {agreed.largest:.2g}.\n"
    )
