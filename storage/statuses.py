"""What may become of a picture, and of an address: closed lists, so that every count adds up."""

from enum import StrEnum


class Status(StrEnum):
    """The outcome of one row; all but KEPT carry a reason."""

    KEPT = "kept"
    # ignored: never meant to be a labelled picture
    NOT_A_PICTURE = "not a picture"
    SYSTEM_FILE = "system file"
    UNLABELLED = "unlabelled"
    EMPTY_FOLDER = "empty folder"
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


IGNORED = frozenset(
    {Status.NOT_A_PICTURE, Status.SYSTEM_FILE, Status.UNLABELLED, Status.EMPTY_FOLDER}
)
REJECTED = frozenset(Status) - IGNORED - {Status.KEPT}


class DownloadStatus(StrEnum):
    """The outcome of one address; all but OK carry a reason."""

    OK = "ok"
    # the address leads nowhere
    BAD_URL = "bad address"
    NOT_FOUND = "not found"
    FORBIDDEN = "forbidden"
    REFUSED = "refused by the server"
    TOO_MANY_REDIRECTS = "too many redirects"
    # Darkroom does not go there, or does not take what is there
    PRIVATE_ADDRESS = "private address"
    ROBOTS = "robots.txt forbids it"
    NO_AI = "not for machine learning"
    TOO_LARGE = "too large"
    # the network or the server failed
    DNS = "host not found"
    CONNECTION = "no connection"
    TLS = "TLS failed"
    TIMEOUT = "timeout"
    NOT_HTTP = "no HTTP answer"
    INCOMPLETE = "incomplete"
    RATE_LIMITED = "rate limited"
    SERVER_ERROR = "server error"
    # something came, but no picture to learn from
    EMPTY = "empty"
    NOT_AN_IMAGE = "not an image"
    TRUNCATED = "truncated image"
    TOO_MANY_PIXELS = "too many pixels"
    PLACEHOLDER = "placeholder"

    @property
    def may_succeed_later(self) -> bool:
        """Whether the same request could succeed at another time without anybody changing it."""
        return self in PASSING

    @property
    def may_succeed_now(self) -> bool:
        """Whether a second attempt within the same run is worth its cost."""
        return self in PASSING - {DownloadStatus.TLS, DownloadStatus.NOT_HTTP}


PASSING = frozenset(
    {
        DownloadStatus.DNS,
        DownloadStatus.CONNECTION,
        DownloadStatus.TLS,
        DownloadStatus.TIMEOUT,
        DownloadStatus.NOT_HTTP,
        DownloadStatus.INCOMPLETE,
        DownloadStatus.RATE_LIMITED,
        DownloadStatus.SERVER_ERROR,
    }
)
