"""Whether what was downloaded is a picture: sniffed, decoded, within limits."""

from storage.errors import DarkroomError
from storage.statuses import DownloadStatus, Status
from tasks.pictures.decoding import Problem, decode

OUTCOMES = {
    Status.EMPTY: DownloadStatus.EMPTY,
    Status.UNDECODABLE: DownloadStatus.NOT_AN_IMAGE,
    Status.TRUNCATED: DownloadStatus.TRUNCATED,
    Status.TOO_MANY_PIXELS: DownloadStatus.TOO_MANY_PIXELS,
}


def examined(data: bytes) -> tuple[DownloadStatus, str]:
    """OK, or what is wrong with these bytes, and a reason.

    The ledger serves every experiment of the workspace, so that no experiment's `clean.max_pixels`
    decides here: what has more pixels than tasks/pictures/decoding.py's limit is not kept.
    """
    try:
        found = decode(data, enough=1)  # damage shows at any scale
    except DarkroomError:
        raise
    except Exception as error:  # noqa: BLE001 - on hostile bytes decoders raise whatever they like
        return DownloadStatus.NOT_AN_IMAGE, f"{type(error).__name__}: {error}"[:200]
    if isinstance(found, Problem):
        return OUTCOMES[found.status], found.reason
    return DownloadStatus.OK, ""
