"""How a source's hosts are treated, and what one address may cost, from its parameters."""

from tasks.acquire.parameters import Web
from tasks.acquire.web.downloader import Manners
from tasks.acquire.web.limits import Limits


def manners_of(source: Web) -> Manners:
    """How this source's hosts are treated."""
    return Manners(
        concurrency=source.per_host_concurrency,
        rate=source.per_host_rate,
        obey_robots=source.obey_robots,
        allow_private_addresses=source.allow_private_addresses,
    )


def limits_of(source: Web) -> Limits:
    """What one address of this source may cost."""
    return Limits(
        max_file_bytes=source.max_file_bytes,
        connect_seconds=source.connect_seconds,
        read_seconds=source.read_seconds,
        total_seconds=source.total_seconds,
    )
