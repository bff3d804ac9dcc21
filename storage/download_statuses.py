"""What may become of an address. One closed list, so that every count in a report adds up."""

from enum import StrEnum


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
