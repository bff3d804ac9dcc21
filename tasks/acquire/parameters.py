"""What `acquire` is told: the kinds of sources, as parameters that validate themselves."""

import os
import re
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    StringConstraints,
    field_validator,
    model_validator,
)

from tasks.running.parameters import Parameters

MEBIBYTE = 2**20
# The tutorials' address; gone from the live web, which the error says when it fails.
IMAGENET_LISTS = "http://www.image-net.org/api/text/imagenet.synset.geturls?wnid={wnid}"
KAGGLE_NAMES = r"^(?P<label>[^.]+)\.\d+\.[^.]+$"

# A shell leaves `~` as it is after `source.folder=`.
UserPath = Annotated[Path, AfterValidator(lambda path: Path(os.path.expanduser(path)))]  # noqa: PTH111
Wnid = Annotated[str, StringConstraints(pattern=r"^n\d{8}$")]


def _listed(value: object) -> object:
    """One path is a list of one."""
    return [value] if isinstance(value, str | Path) else value


class SourceParameters(Parameters):
    """What all sources share."""

    # Whether each picture has an address of its own, which can be gone to again.
    has_addresses: ClassVar[bool] = False

    max_file_bytes: PositiveInt = Field(
        64 * MEBIBYTE, description="A picture file with more bytes is set aside."
    )
    classes: tuple[str, ...] = Field((), description="Take only these classes.")
    exclude: tuple[str, ...] = Field((), description="Leave these classes out.")
    merge: dict[str, tuple[str, ...]] = Field(
        {},
        description="New class -> the classes that become it, as in {dog: [beagle, husky]}. "
        "Done before classes and exclude.",
    )
    group_pattern: str | None = Field(
        None,
        description="What must share a split, as a patient's pictures: a regular expression with "
        "a group named 'group', matched against the picture's name with its folders.",
    )
    burst_seconds: PositiveFloat | None = Field(
        None,
        description="Pictures that one camera took within so many seconds of each other (EXIF) "
        "share a split.",
    )

    corrections: Annotated[tuple[UserPath, ...], BeforeValidator(_listed)] = Field(
        (),
        description="Tables of labels that people corrected, as a report's page writes them. "
        "Nothing is fetched or extracted anew.",
    )
    new_classes: bool = Field(
        default=False, description="Corrections may name classes that the source does not have."
    )

    @field_validator("group_pattern")
    @classmethod
    def _has_group(cls, pattern: str | None) -> str | None:
        return pattern if pattern is None else with_group(pattern, "group")

    @model_validator(mode="after")
    def _merge_is_no_circle(self) -> Self:
        olds = [old for new, some in self.merge.items() for old in some if old != new]
        twice = sorted({old for old in olds if olds.count(old) > 1})
        both = sorted(set(olds) & self.merge.keys())
        if twice:
            raise ValueError(f"merge gives {twice[0]!r} to two classes: name it once")
        if both:
            raise ValueError(
                f"merge has {both[0]!r} both as a new class and as one that becomes another: give "
                "each old class the last name at once"
            )
        chosen = sorted(set(self.classes) & set(self.exclude))
        if chosen:
            raise ValueError(f"{chosen[0]!r} is in classes and in exclude: leave it in one")
        return self


class Labels(SourceParameters):
    """How pictures get their labels, and what else tables say of them."""

    label_from: Literal["auto", "name", "folder", "top_folder", "csv"] = Field(
        "auto",
        description="auto: class folders, names or a table, whichever fits; or labels from file "
        "names, from the innermost or the topmost folders, or from a table.",
    )
    label_pattern: str = Field(
        KAGGLE_NAMES,
        description="For label_from=name: a regular expression with a group named 'label', "
        "matched against the file's name without its folders.",
    )
    label_csv: Annotated[str, AfterValidator(os.path.expanduser)] | None = Field(
        None,
        description="The table of labels: .csv, .tsv, .txt, .xlsx, .json, .jsonl or .parquet. A "
        "path on disk; where there is no such file, its name in the source.",
    )
    name_column: str | None = Field(
        None,
        description="The table's column of picture names, if it is not to be found by what is in "
        "it: its name, or its number counted from 1. So too the other columns.",
    )
    label_column: str | None = Field(None, description="The table's column of labels.")
    split_column: str | None = Field(
        None, description="The table's column that says train, validation or test."
    )
    group_column: str | None = Field(
        None, description="The table's column of what must share a split, as patients."
    )
    time_column: str | None = Field(
        None, description="The table's column of times, for split.rule=by_time."
    )
    file_times: bool = Field(
        default=False,
        description="For split.rule=by_time: the file's time counts where EXIF has none.",
    )
    class_names: Annotated[str, AfterValidator(os.path.expanduser)] | None = Field(
        None,
        description="A file with names for labels that are numbers: a name a line, or JSON as "
        "{0: cat}. On disk or in the source; files like classes.txt are found.",
    )

    @field_validator("label_pattern")
    @classmethod
    def _has_label(cls, pattern: str) -> str:
        return with_group(pattern, "label")


class Packed(Labels):
    """An archive: how much it may unpack to."""

    max_total_bytes: PositiveInt = Field(
        32 * 1024 * MEBIBYTE,
        description="An archive that has, or unpacks to, more bytes is refused.",
    )


def with_group(pattern: str, name: str) -> str:
    """A regular expression that has a group of this name; ValueError for another one."""
    try:
        groups = re.compile(pattern).groupindex
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    if name not in groups:
        raise ValueError(f"expected a group named {name!r}, as in '(?P<{name}>[a-z]+)[.]'")
    return pattern


class Archive(Packed):
    """A zip or tar, zips inside it included."""

    kind: Literal["archive"] = "archive"
    archive: UserPath = Field(description="The zip or tar file.")
    kaggle: str | None = Field(
        None,
        description="Where the archive comes from if it is not on disk: 'competitions/NAME' or "
        "'datasets/OWNER/NAME', downloaded with your Kaggle credentials.",
    )


class Folders(Labels):
    """A folder of class folders, of split folders, or of pictures beside a table of labels."""

    kind: Literal["folders"] = "folders"
    folder: UserPath = Field(
        description="The folder of class folders, of split folders, or of pictures with a table."
    )


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
# What `clean` does with a source's labels is no part of what `acquire` finds.
LATER = frozenset({"corrections", "new_classes"})


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


class WebArchive(Packed, Web):
    """A zip or tar at an address."""

    kind: Literal["web_archive"] = "web_archive"
    url: str = Field(pattern="^https?://")
    checksum: str = Field(
        "",
        pattern="^((md5|sha1|sha256|sha512|MD5|SHA1|SHA256|SHA512):[0-9a-fA-F]+)?$",
        description="algorithm:hexadecimal digits, checked if given.",
    )


Source = Annotated[Archive | Folders | Digits | Synsets | WebArchive, Field(discriminator="kind")]
