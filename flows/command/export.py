"""`darkroom export`: a model for another runtime."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from flows.command.options import Model

EPILOGUE = """\
Examples:
  darkroom export my-pictures --to onnx model-onnx
  darkroom export my-pictures --to litert model-litert"""

app = App(name="export", help_epilogue=EPILOGUE)


@app.default
def export(
    model: Model,
    folder: Annotated[Path, Parameter(help="A new folder to write.")],
    /,
    *,
    to: Annotated[
        Literal["onnx", "litert", "saved_model", "openvino"],
        Parameter(help="onnx and litert need the extras of these names."),
    ],
) -> None:
    """Write a model for another runtime: raw pictures in, probabilities out.

    It is compared with the model on test pictures, in that runtime, before it is kept.
    """
    from tasks.classify.models import model_file
    from tasks.export.exporting import export as written

    agreed = written(model_file(str(model)), to, folder.expanduser().resolve())
    print(
        f"{folder}: {agreed.equal} of {agreed.pictures} {agreed.of} get the class that the model "
        f"gives; no probability differs by more than {agreed.largest:.2g}"
    )
