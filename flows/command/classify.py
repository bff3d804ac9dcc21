"""`darkroom classify`: use a model on pictures."""

import json
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from flows.command.options import AsJson, Doubt, Model
from tasks.classify.parameters import CLIP

EPILOGUE = """\
Where a picture's name or folder names a class, as in pikachu_1.png, the label
is called correct or incorrect. What cannot be read gets a line with the reason.

Examples:
  darkroom classify my-pictures new.jpg album holiday.zip --table labels.csv
  darkroom classify cats-and-dogs-small dogs-vs-cats.zip --only test1/ \\
    --submission submission.csv"""

app = App(name="classify", help_epilogue=EPILOGUE)


@app.default
def classify(
    model: Model,
    pictures: Annotated[
        list[Path], Parameter(help="A picture, a folder with all pictures in it, or a zip or tar.")
    ],
    /,
    *,
    only: Annotated[
        str,
        Parameter(
            show_default=False,
            help="Of folders and archives, what lies at paths that begin so, as in test1/.",
        ),
    ] = "",
    table: Annotated[
        Path | None,
        Parameter(help="Write every picture's probabilities to this .csv or .parquet."),
    ] = None,
    drawn: Annotated[
        Path | None,
        Parameter(help="Write the pictures to this folder, each with its label drawn on it."),
    ] = None,
    submission: Annotated[
        Path | None,
        Parameter(
            help="Write id,label for Kaggle: of 17.jpg the id is 17, the label a class's "
            "probability; 0.5 where a picture cannot be read."
        ),
    ] = None,
    of: Annotated[
        str | None,
        Parameter(
            help="The class whose probability a submission holds; without it the model's second "
            "one, of cat and dog the dog."
        ),
    ] = None,
    clip: Annotated[
        float | None,
        Parameter(
            help=f"Keep a submission's probabilities this far from 0 and 1 ({CLIP} without it), "
            "since log loss punishes certainty without bound where it is wrong; 0 keeps them."
        ),
    ] = None,
    doubt: Doubt = False,
    as_json: AsJson = False,
) -> None:
    """Use a model on pictures: a line for each, or a reason why it cannot be read."""
    from flows.classification import use

    used = use(
        model, pictures,
        only=only, table=table, drawn=drawn, submission=submission, of=of, clip=clip,
        doubt=doubt,
    )  # fmt: skip
    for line in used.lines:
        print(line, file=sys.stderr if as_json else sys.stdout)
    for sentence in used.sentences:
        print(f"darkroom: {sentence}", file=sys.stderr)
    if as_json:
        print(json.dumps({"model": model, "images": used.rows}))
    used.require_readable()
