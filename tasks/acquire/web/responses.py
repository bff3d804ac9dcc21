"""What an HTTP answer says, apart from its body."""

import email.utils
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urljoin

from requests import Response

from storage.statuses import DownloadStatus

REDIRECT_CODES = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True)
class Failure:
    """Why there is no picture; `later`: in how many seconds the server wants to be asked again."""

    status: DownloadStatus
    reason: str
    code: int = 0
    later: float | None = None


def location(response: Response) -> str:
    """Where a redirect leads, absolute and without fragment; what is no address as it came."""
    # Headers are Latin-1 by the letter, but addresses in them are UTF-8 by custom.
    text = response.headers["Location"].encode("latin-1", "replace").decode("utf-8", "replace")
    try:
        return urljoin(str(response.url), text.strip()).partition("#")[0]
    except ValueError:
        return text


def retry_after(response: Response) -> float | None:
    """The seconds that Retry-After asks for, as a number or a date; None without one."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        when = email.utils.parsedate_to_datetime(text)
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        return max(0.0, (when - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError):
        return None


def described(response: Response) -> str:
    """The code and its name, as in "HTTP 404 Not Found"."""
    return f"HTTP {response.status_code} {response.reason or ''}".strip()[:100]
