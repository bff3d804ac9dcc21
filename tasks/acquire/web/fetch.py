"""One request for one address: what came of it, or what to do next. Nothing raises.

A redirect or a second attempt is not followed here but handed back, so that it waits for its turn
like every other request.
"""

import contextlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from requests import Response

from storage.ledger import Download
from storage.records import now
from storage.statuses import DownloadStatus
from tasks.acquire.web import failures, limits, response_bodies, responses, robots
from tasks.acquire.web.connections import GuardedAdapter
from tasks.acquire.web.failing_hosts import Patience, Strikes
from tasks.acquire.web.limits import Allowance, Limits
from tasks.acquire.web.politeness import Turns, host_of
from tasks.acquire.web.responses import Failure

BACKOFF_SECONDS = 0.5
LONGEST_URL = 4096
LONGEST_VALIDATOR = 500
LONGEST_TYPE = 60


@dataclass(frozen=True)
class Job:
    """An address on its way: `target` is where redirects have led, `seconds` what was spent.

    `previous` is the row of an earlier run: then the body is asked for only if it has changed.
    """

    url: str
    target: str
    previous: Download | None = None
    redirects: int = 0
    attempts: int = 1
    seconds: float = 0.0

    @classmethod
    def to(cls, url: str, previous: Download | None = None) -> "Job":
        """The first request for `url`."""
        return cls(url, url, previous)


@dataclass(frozen=True)
class Again:
    """Send `job` after so many seconds; `whole_host`: and nothing else to its host before that."""

    job: Job
    seconds: float = 0.0
    whole_host: bool = False
    failure: Failure | None = None


@dataclass(frozen=True)
class Kept:
    """What a body is, and the name it is stored under if it is a picture."""

    status: DownloadStatus
    reason: str = ""
    image: str = ""


class Fetcher:
    """Sends requests and judges the answers; safe for many threads.

    `keep` looks at each body and stores it; `turns` is told what a site asks for.
    """

    def __init__(
        self,
        adapter: GuardedAdapter,
        allowed: Limits,
        keep: Callable[[bytes], Kept],
        turns: Turns[Job],
        *,
        obey_robots: bool,
    ) -> None:
        self._adapter = adapter
        self._limits = allowed
        self._keep = keep
        self._turns = turns
        self._obey_robots = obey_robots
        self._sites = robots.Sites(lambda site: turns.expects(host_of(site)))
        self._strikes = Strikes()
        self._patience = Patience(allowed.total_seconds)

    def work(self, job: Job) -> Download | Again:
        """The address's row, or what is to be sent next."""
        began = time.monotonic()
        host, total_seconds = self._host_and_time(job)
        with limits.spending(self._allowance(began + total_seconds, job)):
            try:
                outcome = self._next(job)
            except failures.EXPECTED as error:
                outcome = Failure(*failures.explained(error))
        seconds = job.seconds + time.monotonic() - began
        if isinstance(outcome, Failure):
            if outcome.status == DownloadStatus.TIMEOUT and seconds >= total_seconds:
                outcome = replace(
                    outcome, reason=outcome.reason + self._patience.why(host, total_seconds)
                )
                self._patience.note(host, seconds, hung=True)
            outcome = self._failed(job, outcome, seconds, total_seconds)
        elif isinstance(outcome, Download) and outcome.status == DownloadStatus.OK:
            self._patience.note(host, seconds, hung=False)
        if isinstance(outcome, Again):
            return replace(outcome, job=replace(outcome.job, seconds=seconds))
        return replace(outcome, seconds=round(seconds, 4))

    def _host_and_time(self, job: Job) -> tuple[str, float]:
        """Whom this asks, and how long the address may take in all."""
        host = "" if bad_url(job.target) else host_of(job.target)
        return host, self._patience.seconds(host)

    def _allowance(self, deadline: float, job: Job) -> Allowance:
        return Allowance(
            deadline=deadline - job.seconds,
            connect_seconds=self._limits.connect_seconds,
            read_seconds=self._limits.read_seconds,
            bytes_left=self._limits.max_file_bytes + limits.OVERHEAD_BYTES,
        )

    def _next(self, job: Job) -> Download | Again | Failure:
        if problem := bad_url(job.target):
            return Failure(DownloadStatus.BAD_URL, problem)
        host = host_of(job.target)
        if verdict := self._strikes.out(host):
            return self._not_asked(job, verdict)
        if self._obey_robots:
            rules = self._sites.get(robots.site_of(job.target))
            if rules is None:
                return self._met(job)
            if refusal := rules.refusal(job.target):
                return self._not_asked(job, refusal)
        return self._sent(job)

    def _met(self, job: Job) -> Again:
        """The job once more, after its site's robots.txt was asked for."""
        site, host = robots.site_of(job.target), host_of(job.target)
        rules = robots.fetched(self._adapter, site)
        if isinstance(rules, Failure):
            return self._not_met(job, rules)
        self._strikes.note(host, None)
        self._sites.put(site, rules)
        if rules.seconds_between_requests:
            self._turns.slow_down(host, rules.seconds_between_requests)
        return Again(job)

    def _not_met(self, job: Job, failure: Failure) -> Again:
        site = robots.site_of(job.target)
        self._strikes.note(host_of(job.target), failure)
        failed = self._sites.failed(site)
        pause = self._pause(failed, failure)
        patient = failed < self._limits.attempts and pause <= self._limits.longest_wait_seconds
        if failure.status.may_succeed_now and patient:
            return Again(job, pause, whole_host=True, failure=failure)
        self._sites.put(site, robots.Rules(failure=failure))
        return Again(job, failure=failure)

    def _sent(self, job: Job) -> Download | Again | Failure:
        headers = _conditions(job.previous) if job.previous else {}
        with contextlib.closing(self._adapter.get(job.target, headers)) as response:
            return self._judged(job, response)

    def _judged(self, job: Job, response: Response) -> Download | Again | Failure:
        code = response.status_code
        if code == 200:
            return self._taken(job, response)
        response_bodies.finish(response)
        if code == 304 and job.previous is not None:
            return replace(job.previous, code=code, attempts=job.attempts, when=now())
        if code in responses.REDIRECT_CODES and response.headers.get("Location"):
            return self._redirected(job, responses.location(response), code)
        status = failures.of_code(code)
        assert status is not None
        words = responses.described(response)
        return Failure(status, words, code, later=responses.retry_after(response))

    def _redirected(self, job: Job, target: str, code: int) -> Again | Failure:
        if job.redirects >= self._limits.redirects:
            reason = f"more than {self._limits.redirects} redirects"
            return Failure(DownloadStatus.TOO_MANY_REDIRECTS, reason, code)
        if problem := bad_url(target):
            return Failure(DownloadStatus.BAD_URL, f"redirected to no address: {problem}", code)
        return Again(replace(job, target=target, redirects=job.redirects + 1))

    def _taken(self, job: Job, response: Response) -> Download | Failure:
        if self._obey_robots and (refusal := robots.header_refusal(response)):
            return Failure(DownloadStatus.NO_AI, refusal, 200)
        try:
            data = response_bodies.read(response, self._limits.max_file_bytes)
        except failures.EXPECTED as error:
            return _broken(error)
        except (response_bodies.UnknownEncoding, response_bodies.DamagedEncoding) as error:
            return Failure(DownloadStatus.NOT_AN_IMAGE, str(error), 200)
        kept = self._keep(data)
        if kept.status == DownloadStatus.NOT_AN_IMAGE:
            kind = response.headers.get("Content-Type", "no type")[:LONGEST_TYPE]
            kept = replace(kept, reason=f"{kept.reason} (sent as {kind})")
        self._strikes.note(host_of(job.target), None)
        return self._row(job, response, kept, len(data))

    def _row(self, job: Job, response: Response, kept: Kept, count: int) -> Download:
        return Download(
            url=job.url,
            status=kept.status,
            reason=kept.reason,
            code=response.status_code,
            image=kept.image,
            bytes=count,
            attempts=job.attempts,
            etag=response.headers.get("ETag", "")[:LONGEST_VALIDATOR],
            last_modified=response.headers.get("Last-Modified", "")[:LONGEST_VALIDATOR],
            host=host_of(job.url),
            when=now(),
        )

    def _failed(
        self, job: Job, failure: Failure, seconds: float, total_seconds: float
    ) -> Download | Again:
        """One more attempt where that may help and time is left for it, else the row."""
        if failure.status != DownloadStatus.BAD_URL:
            self._strikes.note(host_of(job.target), failure)
        pause = self._pause(job.attempts, failure)
        if (
            failure.status.may_succeed_now
            and job.attempts < self._limits.attempts
            and seconds < total_seconds
            and pause <= self._limits.longest_wait_seconds
        ):
            limited = failure.status == DownloadStatus.RATE_LIMITED or failure.later is not None
            job = replace(job, attempts=job.attempts + 1)
            return Again(job, pause, whole_host=limited, failure=failure)
        return self._row_of(job, failure)

    def _not_asked(self, job: Job, failure: Failure) -> Download:
        """The row without a request: `attempts` is one less than the job's."""
        return replace(self._row_of(job, failure), attempts=job.attempts - 1)

    def _row_of(self, job: Job, failure: Failure) -> Download:
        """The failure as a row; the row of an earlier run where the failure may pass."""
        if job.previous is not None and failure.status.may_succeed_later:
            # A server that is down today has not taken its pictures back.
            return replace(job.previous, code=failure.code, attempts=job.attempts)
        too_large = failure.status == DownloadStatus.TOO_LARGE
        return Download(
            url=job.url,
            status=failure.status,
            reason=failure.reason,
            code=failure.code,
            bytes=self._limits.max_file_bytes + 1 if too_large else 0,
            attempts=job.attempts,
            host="" if bad_url(job.url) else host_of(job.url),
            when=now(),
        )

    def _pause(self, attempts: int, failure: Failure) -> float:
        """Seconds before the next attempt: what the server asks for, else longer every time."""
        if failure.later is not None:
            return failure.later
        # Jitter, so that what failed together does not come back together.
        return BACKOFF_SECONDS * 2 ** (attempts - 1) * random.uniform(0.75, 1.5)  # noqa: S311


def bad_url(url: str) -> str:
    """Why this is no address of a picture on the web; '' if it may be one."""
    if len(url) > LONGEST_URL:
        return f"{len(url)} characters"
    try:
        parts = urlsplit(url)
        valid_port = parts.port != 0
    except ValueError as error:
        return str(error)
    if parts.scheme.lower() not in ("http", "https"):
        return f"the scheme {parts.scheme[:20]!r} is not http or https"
    return "" if parts.hostname and valid_port else "no host"


def _broken(error: BaseException) -> Failure:
    """The failure of a connection that had begun to send a body."""
    status, reason = failures.explained(error)
    if status in (DownloadStatus.CONNECTION, DownloadStatus.NOT_HTTP, DownloadStatus.TLS):
        status = DownloadStatus.INCOMPLETE
    return Failure(status, reason, 200)


def _conditions(previous: Download) -> dict[str, str]:
    """Headers that ask for the body only if it is another one than last time."""
    headers = {}
    if previous.etag:
        headers["If-None-Match"] = previous.etag
    if previous.last_modified:
        headers["If-Modified-Since"] = previous.last_modified
    return headers
