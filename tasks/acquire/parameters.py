"""What `acquire` is told: the kinds of sources, as parameters that validate themselves."""

import os
import re
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import (
    AfterValidator,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    StringConstraints,
    field_validator,
)

from tasks.running.parameters import Parameters

MEBIBYTE = 2**20
# The tutorials' address; gone from the live web, which the error says when it fails.
IMAGENET_LISTS = "http://www.image-net.org/api/text/imagenet.synset.geturls?wnid={wnid}"
KAGGLE_NAMES = r"^(?P<label>[^.]+)\.\d+\.[^.]+$"

# A shell leaves `~` as it is after `source.folder=`.
UserPath = Annotated[Path, AfterValidator(lambda path: Path(os.path.expanduser(path)))]  # noqa: PTH111
Wnid = Annotated[str, StringConstraints(pattern=r"^n\d{8}$")]


class SourceParameters(Parameters):
    """What all sources share."""

    # Whether each picture has an address of its own, which can be gone to again.
    has_addresses: ClassVar[bool] = False

    max_file_bytes: PositiveInt = Field(
        64 * MEBIBYTE, description="A picture file with more bytes is set aside."
    )


class Labels(SourceParameters):
    """How pictures of an archive get their labels, and how much it may unpack to."""

    label_from: Literal["name", "folder", "csv"] = Field(
        "name", description="Read labels from file names, from folders, or from a CSV."
    )
    label_pattern: str = Field(
        KAGGLE_NAMES,
        description="For label_from=name: a regular expression with a group named 'label', "
        "matched against the file's name without its folders.",
    )
    label_csv: Annotated[str, AfterValidator(os.path.expanduser)] | None = Field(
        None,
        description="For label_from=csv: a CSV file whose first two columns are a picture's name "
        "(with or without its suffix) and its label. A path on disk; where there is no such file, "
        "its name in the archive, in a zip inside it, or in what Kaggle's client downloaded.",
    )
    max_total_bytes: PositiveInt = Field(
        32 * 1024 * MEBIBYTE,
        description="An archive that has, or unpacks to, more bytes is refused.",
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


class Archive(Labels):
    """A zip or tar, zips inside it included."""

    kind: Literal["archive"] = "archive"
    archive: UserPath = Field(description="The zip or tar file.")
    kaggle: str | None = Field(
        None,
        description="Where the archive comes from if it is not on disk: 'competitions/NAME' or "
        "'datasets/OWNER/NAME', downloaded with your Kaggle credentials.",
    )


class Folders(SourceParameters):
    """A folder that holds one folder of pictures per class."""

    kind: Literal["folders"] = "folders"
    folder: UserPath = Field(description="The folder of class folders.")


class Digits(SourceParameters):
    """scikit-learn's 1,797 handwritten digits, written out as a Kaggle-shaped zip."""

    kind: Literal["digits"] = "digits"


class Web(SourceParameters):
    """How hosts are treated, and what one address may cost."""

    allow_private_addresses: bool = Field(
        default=False, description="Also fetch from loopback and private networks."
    )
    obey_robots: bool = Field(default=True, description="Respect robots.txt and noai marks.")
    per_host_concurrency: PositiveInt = Field(8, description="Requests at a time per host.")
    per_host_rate: NonNegativeFloat = Field(
        50.0, description="Requests per second per host; 0 is no limit."
    )
    connect_seconds: PositiveFloat = 10.0
    read_seconds: PositiveFloat = Field(15.0, description="Between two packets.")
    total_seconds: PositiveFloat = Field(60.0, description="For one address, retries included.")


MANNERS = frozenset(
    {"per_host_concurrency", "per_host_rate", "connect_seconds", "read_seconds", "total_seconds"}
)


class Synsets(Web):
    """Pictures at the addresses that lists give for ImageNet synsets, or their archives.

    A picture of more than 100,000,000 pixels is set aside when it is downloaded, whatever
    clean.max_pixels says: all experiments share the ledger of downloads.
    """

    has_addresses: ClassVar[bool] = True

    kind: Literal["synsets"] = "synsets"
    synsets: dict[str, Wnid] = Field(min_length=1, description="Class name -> WordNet id.")
    url_list: str = Field(
        IMAGENET_LISTS,
        description="Where the lists are: an address or a file, {wnid} is filled in. Lists, "
        "mappings, the fall-2011 file, a CSV, or an archive per synset.",
    )
    first: PositiveInt | None = Field(
        None, description="Take only so many addresses of each class, in the list's order."
    )
    max_total_bytes: PositiveInt = Field(
        32 * 1024 * MEBIBYTE,
        description="A list, or a synset's archive, that has or unpacks to more bytes is refused.",
    )


class WebArchive(Labels, Web):
    """A zip or tar at an address."""

    kind: Literal["web_archive"] = "web_archive"
    url: str = Field(pattern="^https?://")
    checksum: str = Field(
        "",
        pattern="^((md5|sha1|sha256|sha512|MD5|SHA1|SHA256|SHA512):[0-9a-fA-F]+)?$",
        description="algorithm:hexadecimal digits, checked if given.",
    )


Source = Annotated[Archive | Folders | Digits | Synsets | WebArchive, Field(discriminator="kind")]
