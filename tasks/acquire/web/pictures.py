"""Whether what was downloaded is a picture: sniffed, decoded, within limits."""

from storage.download_statuses import DownloadStatus
from storage.errors import DarkroomError
from storage.statuses import Status
from tasks.decode import MAX_PIXELS, Problem, decode

__all__ = ["MAX_PIXELS", "examined"]
OUTCOMES = {
    Status.EMPTY: DownloadStatus.EMPTY,
    Status.UNDECODABLE: DownloadStatus.NOT_AN_IMAGE,
    Status.TRUNCATED: DownloadStatus.TRUNCATED,
    Status.TOO_MANY_PIXELS: DownloadStatus.TOO_MANY_PIXELS,
}


def examined(data: bytes, max_pixels: int) -> tuple[DownloadStatus, str]:
    """OK, or what is wrong with these bytes, and a reason."""
    try:
        found = decode(data, max_pixels)
    except DarkroomError:
        raise
    except Exception as error:  # noqa: BLE001 - on hostile bytes decoders raise whatever they like
        return DownloadStatus.NOT_AN_IMAGE, f"{type(error).__name__}: {error}"[:200]
    if isinstance(found, Problem):
        return OUTCOMES[found.status], found.reason
    return DownloadStatus.OK, ""
