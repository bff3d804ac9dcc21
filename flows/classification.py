"""A model used on pictures: what is chained, whether Prefect runs it (flows/classify.py) or not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage.errors import NoUsablePictures, ParameterError
from tasks.classify import output_files, summary
from tasks.classify import submission as submissions
from tasks.classify.classifier import Classifier
from tasks.classify.drawing import Drawings
from tasks.classify.models import model_file, training_split
from tasks.classify.parameters import CLIP
from tasks.classify.pictures import Pictures
from tasks.classify.predictions import Knows, Prediction, predicted
from tasks.running.progress import tracked


@dataclass(frozen=True)
class Used:
    """One prediction per picture, and sentences that whoever asked should read."""

    predictions: list[Prediction]
    sentences: list[str]

    @property
    def lines(self) -> list[str]:
        """`name  label: 97.3% (correct)`, one per picture."""
        return [one.line for one in self.predictions]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One JSON object per picture."""
        return [one.row() for one in self.predictions]

    @property
    def counts(self) -> dict[str, int]:
        """How many pictures, and what became of them."""
        return summary.counts(self.predictions)

    def require_readable(self) -> None:
        """NoUsablePictures, with the first one's reason, unless a picture could be read."""
        if self.counts["unreadable"] == len(self.predictions):
            raise NoUsablePictures(
                f"expected a picture that can be read, found none of {len(self.predictions)}; the "
                f"first: {self.lines[0]}"
            )


def use(
    model: str,
    pictures: Sequence[Path],
    *,
    only: str = "",
    table: Path | None = None,
    drawn: Path | None = None,
    submission: Path | None = None,
    of: str | None = None,
    clip: float | None = None,
    doubt: bool = False,
    show: Callable[[float], None] | None = None,
) -> Used:
    """Classify pictures, and write what is asked for; what is wrong is said before the work."""
    file = model_file(model)
    output_files.check_files(table, submission, pictures)
    output_files.check_folder(drawn, pictures)
    for option, value in (("--of", of), ("--clip", clip)):
        if value is not None and submission is None:
            raise ParameterError(f"{option} is about a submission: add --submission")
    clip = CLIP if clip is None else clip
    found = Pictures(pictures, only, whole=submission is not None)
    found.check()
    total = found.count() if submission is None else submissions.count(found, clip)
    classifier = Classifier.open(file, doubt=doubt)
    column = submissions.class_of(of, classifier.classes)
    drawings = None if drawn is None else Drawings.into(drawn)
    with tracked("classify", total, show) as advance:
        predictions = predicted(
            classifier, found,
            drawings=drawings, knows=_known(file), advance=advance,
        )  # fmt: skip
    if table is not None:
        from tasks.classify import table as tables

        tables.write(table, predictions, classifier.classes)
    if submission is not None:
        submissions.write(submission, predictions, column, clip)
    told = summary.sentences(predictions, found.passed_over, submitted=submission is not None)
    told += filter(None, [classifier.remark])
    return Used(predictions, told)


def _known(model: Path) -> Knows | None:
    """What says of a picture whether the model was trained on it; None where nobody knows."""
    split = training_split(model)
    if split is None:
        return None
    from tasks.classify.trained_on import TrainedOn

    return TrainedOn.by(split).knows
