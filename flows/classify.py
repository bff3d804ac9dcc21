"""Use a model on new pictures, as a deployment; `darkroom classify` needs no Prefect."""

from pathlib import Path
from typing import Any

from prefect import flow
from prefect.logging import get_run_logger

from flows.classification import use
from tasks.running.progress import progress_artifact


@flow(name="classify", log_prints=False)
def classify(
    model: str,
    pictures: list[Path],
    only: str = "",
    table: Path | None = None,
    drawn: Path | None = None,
    submission: Path | None = None,
    of: str | None = None,
    clip: float | None = None,
    doubt: bool = False,  # noqa: FBT001, FBT002 - Prefect's form asks for it by name
) -> dict[str, Any]:
    """Say what is on pictures: files, folders and zips, with a model or an experiment's model.

    `table` is a .csv or .parquet file for every picture's probabilities, `drawn` a folder for the
    pictures with their labels written on, `submission` a CSV of `id,label` for numbered pictures.
    `doubt` adds how far answers can be trusted, `only` is how paths within a folder or archive must
    begin. Returns counts; NoUsablePictures, after all is written, where nothing could be read.
    """
    used = use(
        model, pictures, only=only, table=table, drawn=drawn, submission=submission, of=of,
        clip=clip, doubt=doubt, show=progress_artifact("classify"),
    )  # fmt: skip
    for sentence in used.sentences:
        get_run_logger().warning(sentence)
    used.require_readable()
    return {"model": model, **used.counts}
