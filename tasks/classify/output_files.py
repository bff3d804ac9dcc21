"""Where results are to be written: looked at before the work is done, so that none is in vain."""

import contextlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from storage.errors import ParameterError

CSV, PARQUET = ".csv", ".parquet"
TABLES = (CSV, PARQUET)


def check_files(table: Path | None, submission: Path | None, pictures: Sequence[Path]) -> None:
    """ParameterError if one cannot be written, or would replace the other one or a picture."""
    targets = []
    for path, suffixes in ((table, TABLES), (submission, (CSV,))):
        if path is not None:
            check_file(path, suffixes)
            targets.append(path)
    places = [os.path.realpath(path) for path in targets]
    if len(set(places)) < len(places):
        raise ParameterError(
            f"expected one file for --table and another for --submission, found {table} for both: "
            "name two"
        )
    given = {os.path.realpath(path) for path in pictures}
    for path, place in zip(targets, places, strict=True):
        if place in given:
            raise ParameterError(
                f"expected a file for results, found {path}, which is given as a picture and would "
                "be replaced: name another"
            )


def check_file(path: Path, suffixes: Sequence[str]) -> None:
    """ParameterError if a file with one of `suffixes` cannot be written there."""
    if path.suffix.lower() not in suffixes:
        raise ParameterError(
            f"expected a file whose name ends with {' or '.join(suffixes)}, found {path}"
        )
    # A device or a pipe would become a file: the new one is renamed to this name.
    if os.path.lexists(path) and not os.path.isfile(path):  # noqa: PTH113
        raise ParameterError(
            f"expected a file that can be written, found {path}, which is there and is no file: "
            "name another"
        )
    try:
        _try(path.absolute())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ParameterError(
            f"expected a file that can be written, found {path} ({reason}): name another"
        ) from error


def _try(path: Path) -> None:
    """OSError if folders and a file of these names cannot be made; nothing is left of the try."""
    folder = next(one for one in path.parents if os.path.exists(one))  # noqa: PTH110
    for part in path.relative_to(folder).parts:
        with contextlib.suppress(FileNotFoundError):  # other errors: the name is too long
            os.lstat(folder / part)
    try_folder(folder)


def try_folder(folder: Path) -> None:
    """OSError if nothing can be written into `folder`: asking for its rights does not tell."""
    with tempfile.TemporaryFile(dir=folder):
        pass


def check_folder(drawn: Path | None, pictures: Sequence[Path]) -> None:
    """ParameterError if what is drawn would be among the pictures the next time."""
    if drawn is None:
        return
    place = Path(os.path.realpath(drawn))
    for given in pictures:
        is_folder = os.path.isdir(given)  # noqa: PTH112 - an impossible name is none, and no error
        if is_folder and place.is_relative_to(os.path.realpath(given)):
            raise ParameterError(
                f"expected a folder for drawn pictures beside those that are given, found {drawn} "
                f"in {given}: the drawn ones would be classified the next time. Name another one "
                "with --drawn"
            )
