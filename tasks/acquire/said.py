"""What a layout says of one picture, and of all."""

from dataclasses import dataclass, field
from typing import NamedTuple

from storage.statuses import Status


class Said(NamedTuple):
    """Label, split, group and time of a picture, '' where nothing is said.

    `status` and `reason` are of a picture that cannot be used: because of what is said, or because
    nothing is.
    """

    label: str = ""
    split: str = ""
    group: str = ""
    time: str = ""
    status: Status = Status.UNLABELLED
    reason: str = ""


NOTHING = Said()


class Place(NamedTuple):
    """A picture's name, with the archive that holds it as a folder, and what that says of it.

    `folder` are the folders that it lies in; zips are some, other archives are not: their names say
    nothing of a class.
    """

    name: str
    folder: tuple[str, ...]
    said: Said | None = None


@dataclass
class Layout:
    """What is said of each picture, in the order of their names, and how it was understood.

    `found` says in words what the layout is, `remarks` what the user should know of it.
    """

    pictures: list[Said]
    found: str = ""
    remarks: list[str] = field(default_factory=list)
