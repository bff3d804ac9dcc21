"""What a site forbids: robots.txt (RFC 9309, read by protego) and the header X-Robots-Tag."""

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import urljoin, urlsplit

from protego import Protego
from requests import Response

from storage.statuses import DownloadStatus
from tasks.acquire.web import failures, response_bodies
from tasks.acquire.web.connections import GuardedAdapter
from tasks.acquire.web.limits import MEBIBYTE
from tasks.acquire.web.responses import REDIRECT_CODES, Failure, location, retry_after

AGENT = "Darkroom"
PATH = "/robots.txt"
# RFC 9309, 2.5: at least 500 KiB must be read; what comes after may be ignored.
MAX_BYTES = 500 * 1024
# RFC 9309, 2.3.1.2: at least five redirects are followed, then the file counts as absent.
REDIRECTS = 5
# What declares more is something else that is sent for every address.
NO_TEXT_BYTES = 8 * MEBIBYTE
SITES_KEPT = 2000
LONGEST_CRAWL_DELAY_SECONDS = 30.0
REFUSING = frozenset({"noai", "noimageai"})
# Directives of X-Robots-Tag that carry a value; before other colons stands a robot's name.
WITH_VALUE = frozenset(
    {"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"}
)


@dataclass(frozen=True)
class Rules:
    """What is known of a site: its parsed robots.txt (None: all is allowed), or why none came."""

    parsed: Protego | None = None
    failure: Failure | None = None

    def refusal(self, url: str) -> Failure | None:
        """Why `url` must not be fetched; None if it may."""
        if self.failure is not None:
            return replace(self.failure, reason=f"robots.txt: {self.failure.reason}")
        if self.parsed is not None and not self.parsed.can_fetch(url, AGENT):
            return Failure(DownloadStatus.ROBOTS, "robots.txt does not want this fetched")
        return None

    @property
    def seconds_between_requests(self) -> float:
        """What the site asks for by Crawl-delay or Request-rate; 0 if it does not ask."""
        if self.parsed is None:
            return 0.0
        delay = self.parsed.crawl_delay(AGENT) or 0.0
        rate = self.parsed.request_rate(AGENT)
        if rate is not None and rate.requests:
            with contextlib.suppress(OverflowError):
                delay = max(delay, rate.seconds / rate.requests)
        return min(delay, LONGEST_CRAWL_DELAY_SECONDS)


ALL_ALLOWED = Rules()


def fetched(adapter: GuardedAdapter, site: str) -> Rules | Failure:
    """The rules of `site`; a Failure when they may exist but cannot be had (RFC 9309, 2.3.1).

    No such file, or one that leads in circles or to refused addresses, allows everything.
    """
    url = site + PATH
    for hop in range(REDIRECTS + 1):
        try:
            with contextlib.closing(adapter.get(url, {})) as response:
                found = _judged(response)
        except failures.EXPECTED as error:
            failure = Failure(*failures.explained(error))
            mislead = hop and not failure.status.may_succeed_later
            return ALL_ALLOWED if mislead else failure
        if not isinstance(found, str):
            return found
        url = urljoin(url, found)
    return ALL_ALLOWED


def _judged(response: Response) -> Rules | Failure | str:
    """The rules, why there are none, or where they are instead."""
    code = response.status_code
    if code in REDIRECT_CODES and response.headers.get("Location"):
        return location(response)
    if code >= 500 or code == 429:
        status = failures.of_code(code)
        assert status is not None
        return Failure(status, f"HTTP {code}", code, later=retry_after(response))
    if code == 200 and response_bodies.declared_bytes(response) <= NO_TEXT_BYTES:
        return parsed(response_bodies.read_start(response, MAX_BYTES))
    response_bodies.finish(response)
    return ALL_ALLOWED


def parsed(data: bytes) -> Rules:
    """The rules in the bytes of a robots.txt; what is no robots.txt forbids nothing."""
    text = data[:MAX_BYTES].decode("utf-8", errors="replace")
    return Rules(Protego.parse(text)) if ":" in text else ALL_ALLOWED


def site_of(url: str) -> str:
    """Scheme, host and port: what one robots.txt speaks for."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}".lower()


class Sites:
    """The rules of the sites that are `needed`, and of some others; safe for many threads.

    When there are more than SITES_KEPT, those that are not needed are forgotten.
    """

    def __init__(self, needed: Callable[[str], bool]) -> None:
        self._needed = needed
        self._room = SITES_KEPT
        self._rules: dict[str, Rules] = {}
        self._failures: dict[str, int] = {}
        self._lock = threading.Lock()

    def get(self, site: str) -> Rules | None:
        """The rules of a site, None if they have yet to be fetched."""
        return self._rules.get(site)

    def failed(self, site: str) -> int:
        """Note that the rules could not be fetched; how often that has happened now."""
        with self._lock:
            self._failures[site] = self._failures.get(site, 0) + 1
            return self._failures[site]

    def put(self, site: str, rules: Rules) -> None:
        """Remember the rules of a site."""
        with self._lock:
            self._failures.pop(site, None)
            if len(self._rules) >= self._room:
                self._rules = {s: kept for s, kept in self._rules.items() if self._needed(s)}
                # Not for every new site: to go through all of them takes its time.
                self._room = max(SITES_KEPT, 2 * len(self._rules))
            self._rules[site] = rules


def header_refusal(response: Response) -> str:
    """Why X-Robots-Tag keeps this answer from machine learning; '' if it does not."""
    for line in response.raw.headers.getlist("X-Robots-Tag"):
        directives = _directives_for_us(line)
        if found := sorted(REFUSING & directives):
            return f"X-Robots-Tag: {', '.join(found)}"
    return ""


def _directives_for_us(line: str) -> set[str]:
    """The directives of one header line that are for every robot or for this one."""
    found, for_us = set(), True
    for part in line.lower().split(","):
        name, colon, rest = (text.strip() for text in part.partition(":"))
        if colon and name not in WITH_VALUE:
            for_us, name = name == AGENT.lower(), rest
        if for_us:
            found.add(name)
    return found
