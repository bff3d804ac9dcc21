"""What may become of a picture, and of an address: closed lists, so that every count adds up."""

from enum import StrEnum
from typing import Self


class Explained(StrEnum):
    """Texts with a sentence each on what they mean."""

    about: str

    def __new__(cls, value: str, about: str = "") -> Self:
        """The text; what it means is said of it alone."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.about = about
        return member


class Status(Explained):
    """The outcome of one row; all but KEPT carry a reason."""

    KEPT = "kept", "A usable picture with a label."
    # ignored: never meant to be a labelled picture
    NOT_A_PICTURE = "not a picture", "A file without a picture's suffix."
    SYSTEM_FILE = "system file", "`__MACOSX`, `.DS_Store`, hidden files and folders."
    UNLABELLED = (
        "unlabelled",
        "Nothing says its class: a file beside the class folders, a name that fits no pattern.",
    )
    EMPTY_FOLDER = "empty folder", "A class folder without a picture."
    NOT_CHOSEN = "not chosen", "Its class is not in `source.classes`, or is in `source.exclude`."
    SMALL_CLASS = (
        "small class",
        "Its class has fewer pictures than the split, or `clean.min_pictures`, asks for.",
    )
    # rejected: meant to be one, but unusable
    UNSAFE_NAME = "unsafe name", "`../`, an absolute name, a drive letter or a link in an archive."
    DUPLICATE_NAME = "duplicate name", "A second entry of one name in an archive; the first counts."
    ENCRYPTED = "encrypted", "An archive entry that needs a password."
    DAMAGED = "damaged in its archive", "An archive entry that cannot be read back whole."
    TOO_MANY_BYTES = "too many bytes", "Larger than `source.max_file_bytes`."
    EMPTY = "empty", "A file of no bytes."
    UNDECODABLE = (
        "undecodable",
        "No format that is read here (HEIC, camera raw and PSD are not), or damaged.",
    )
    TRUNCATED = "truncated", "The picture breaks off."
    TOO_SMALL = "too small", "A side is shorter than `clean.min_side`."
    TOO_MANY_PIXELS = (
        "too many pixels",
        "More than `clean.max_pixels`; the header tells, nothing is decoded.",
    )
    DUPLICATE = "duplicate", "The same bytes again under the same label; the first counts."
    LABEL_CONFLICT = (
        "label conflict",
        "The same picture, also when saved again, under two labels; none of them counts.",
    )
    THROWN_OUT = "thrown out", "A person threw it out (`source.corrections`)."
    NOT_DOWNLOADED = (
        "not downloaded",
        "A web address that gave no picture; the ledger has the reason.",
    )
    PLACEHOLDER = "placeholder", "A picture that stands for one that is gone."


IGNORED = frozenset(
    {
        Status.NOT_A_PICTURE,
        Status.SYSTEM_FILE,
        Status.UNLABELLED,
        Status.EMPTY_FOLDER,
        Status.NOT_CHOSEN,
        Status.SMALL_CLASS,
    }
)
REJECTED = frozenset(Status) - IGNORED - {Status.KEPT}


class DownloadStatus(Explained):
    """The outcome of one address; all but OK carry a reason."""

    OK = "ok", "A picture came."
    # the address leads nowhere
    BAD_URL = "bad address", "No address that HTTP knows."
    NOT_FOUND = "not found", "Gone: 404 or 410."
    FORBIDDEN = "forbidden", "The server gives it to nobody, or only to those who log in."
    REFUSED = "refused by the server", "Another answer that says no."
    TOO_MANY_REDIRECTS = "too many redirects", "Sent on without end."
    # Darkroom does not go there, or does not take what is there
    PRIVATE_ADDRESS = (
        "private address",
        "It leads into a private network; see `source.allow_private_addresses`.",
    )
    ROBOTS = "robots.txt forbids it", "See `source.obey_robots`."
    NO_AI = "not for machine learning", "Its server marks it `noai`; see `source.obey_robots`."
    TOO_LARGE = "too large", "More bytes than one picture may have."
    # the network or the server failed
    DNS = "host not found", "No such name, or no answer about it."
    CONNECTION = "no connection", "Nobody answers at that address."
    TLS = "TLS failed", "No secure connection came about."
    TIMEOUT = "timeout", "Too slow."
    NOT_HTTP = "no HTTP answer", "What answers speaks another language."
    INCOMPLETE = "incomplete", "The answer broke off."
    RATE_LIMITED = "rate limited", "The server asks for patience: 429."
    SERVER_ERROR = "server error", "The server failed: 5xx."
    # something came, but no picture to learn from
    EMPTY = "empty", "No bytes came."
    NOT_AN_IMAGE = "not an image", "A page, a text, another kind of file."
    TRUNCATED = "truncated image", "A picture that breaks off."
    TOO_MANY_PIXELS = "too many pixels", "More pixels than `clean` takes."
    PLACEHOLDER = "placeholder", "A picture that stands for one that is gone."

    @property
    def may_succeed_later(self) -> bool:
        """Whether the same request could succeed at another time without anybody changing it."""
        return self in PASSING

    @property
    def may_succeed_now(self) -> bool:
        """Whether a second attempt within the same run is worth its cost."""
        return self in PASSING - {DownloadStatus.TLS, DownloadStatus.NOT_HTTP}


OVERLOADED = 503


def asks_for_less(status: DownloadStatus, code: int) -> bool:
    """Whether a host wants fewer requests: 429, or 503."""
    return status == DownloadStatus.RATE_LIMITED or code == OVERLOADED


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
