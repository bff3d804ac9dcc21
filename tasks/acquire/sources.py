"""The kinds of sources, as parameters that validate themselves."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, field_validator

MEBIBYTE = 2**20
KAGGLE_NAMES = r"^(?P<label>[^.]+)\.\d+\.[^.]+$"


class SourceParameters(BaseModel):
    """What all sources share."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_file_bytes: PositiveInt = Field(
        64 * MEBIBYTE, description="A picture file with more bytes is set aside."
    )


class Archive(SourceParameters):
    """A zip or tar, zips inside it included."""

    kind: Literal["archive"] = "archive"
    archive: Path = Field(description="The zip or tar file.")
    label_from: Literal["name", "folder", "csv"] = Field(
        "name", description="Read labels from file names, from folders, or from a CSV."
    )
    label_pattern: str = Field(
        KAGGLE_NAMES,
        description="For label_from=name: a regular expression with a group named 'label', "
        "matched against the file's name without its folders.",
    )
    label_csv: str | None = Field(
        None,
        description="For label_from=csv: a CSV file, in the archive or on disk, whose first two "
        "columns are a picture's name (with or without its suffix) and its label.",
    )
    kaggle: str | None = Field(
        None,
        description="Where the archive comes from if it is not on disk: 'competitions/NAME' or "
        "'datasets/OWNER/NAME', downloaded with your Kaggle credentials.",
    )
    max_total_bytes: PositiveInt = Field(
        32 * 1024 * MEBIBYTE, description="An archive that unpacks to more bytes is refused."
    )

    @field_validator("label_pattern")
    @classmethod
    def _has_label(cls, pattern: str) -> str:
        try:
            groups = re.compile(pattern).groupindex
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        if "label" not in groups:
            raise ValueError("expected a group named 'label', as in '(?P<label>[a-z]+)[.]'")
        return pattern


class Folders(SourceParameters):
    """A folder that holds one folder of pictures per class."""

    kind: Literal["folders"] = "folders"
    folder: Path = Field(description="The folder of class folders.")


class Digits(SourceParameters):
    """scikit-learn's 1,797 handwritten digits, written out as a Kaggle-shaped zip."""

    kind: Literal["digits"] = "digits"


Source = Annotated[Archive | Folders | Digits, Field(discriminator="kind")]
