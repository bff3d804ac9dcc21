"""What may become of a picture. One closed list, so that every count in a report adds up."""

from enum import StrEnum


class Status(StrEnum):
    """The outcome of one row; all but KEPT carry a reason."""

    KEPT = "kept"
    # ignored: never meant to be a labelled picture
    NOT_A_PICTURE = "not a picture"
    SYSTEM_FILE = "system file"
    UNLABELLED = "unlabelled"
    # rejected: meant to be one, but unusable
    UNSAFE_NAME = "unsafe name"
    DUPLICATE_NAME = "duplicate name"
    ENCRYPTED = "encrypted"
    DAMAGED = "damaged in its archive"
    TOO_MANY_BYTES = "too many bytes"
    EMPTY = "empty"
    UNDECODABLE = "undecodable"
    TRUNCATED = "truncated"
    TOO_SMALL = "too small"
    TOO_MANY_PIXELS = "too many pixels"
    DUPLICATE = "duplicate"
    LABEL_CONFLICT = "label conflict"
    NOT_DOWNLOADED = "not downloaded"
    PLACEHOLDER = "placeholder"


IGNORED = frozenset({Status.NOT_A_PICTURE, Status.SYSTEM_FILE, Status.UNLABELLED})
REJECTED = frozenset(Status) - IGNORED - {Status.KEPT}
