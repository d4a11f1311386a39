"""The dead-man's ping: an outside watcher is told when each run starts and ends. It alarms if it hears nothing."""

import collections
import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit

from janitor import http
from janitor.engine.stages import Slot
from janitor.jobs.job import Job
from janitor.loops import Loops
from janitor.runs import Outcome, Run
from janitor.state.run_records import BY_HAND, Ending
from janitor.state.slot_records import LostSlots

log = logging.getLogger(__name__)

MOST_WAITING = 1_000
TRIES = 3
PAUSE_SECONDS = 2.0
MAX_BODY = 10_000
SUFFIXES = {
    Outcome.SUCCEEDED: "",
    Outcome.SKIPPED: "",
    Outcome.FAILED: "/fail",
    Outcome.TIMED_OUT: "/fail",
}
"""The end of the address for each outcome. The watcher does not hear of a cancelled or interrupted run: it hears of
the next run, or it alarms."""


@dataclass(frozen=True)
class Ping:
    """One request to the watcher of a job."""

    job: str
    url: str
    body: str = ""


class Pinger:
    """Tells the watchers of this process's runs, from a thread of its own. A full queue drops its oldest ping."""

    def __init__(
        self, urls: Mapping[str, str], loops: Loops, now: Callable[[str, str], str] = lambda job, url: url
    ) -> None:
        """`urls` are the watchers' addresses by job. Other jobs are told to nobody.

        `now` gives the address of a job's watcher as it is now, which may be in a file.
        """
        self._urls, self._now = urls, now
        self._queue: collections.deque[Ping] = collections.deque(maxlen=MOST_WAITING)
        self._told_of: set[int] = set()
        self._loop = loops.loop("pings", self._tell_all, at_end=True)
        self._client = http.Client(read_seconds=10.0)
        self._failing: set[str] = set()

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._loop.start()

    def stop(self, seconds: float) -> None:
        """Ask the thread to send each waiting ping once and to end; wait for it so long."""
        self._loop.ask_to_stop()
        self._loop.wait(seconds)

    def began(self, job: Job, slot: Slot, run: Run) -> None:
        """Queue a ping. The runner calls this in the run's thread."""
        url = self._urls.get(job.id)
        if url is not None and slot.origin != BY_HAND and not run.dry_run:
            self._told_of.add(run.id)
            self._add(Ping(job.id, address(self._now(job.id, url), "/start", run)))

    def ended(self, job: Job, run: Run, ending: Ending) -> None:
        """Queue a ping. The runner calls this in the run's thread."""
        if run.id in self._told_of:
            self._told_of.discard(run.id)
            suffix = SUFFIXES.get(ending.outcome)
            if suffix is not None:
                url = self._now(job.id, self._urls[job.id])
                self._add(Ping(job.id, address(url, suffix, run), ending.reason or ""))

    def lost(self, lost: LostSlots) -> None:
        """Do nothing: a slot without a run is silence, and the watcher alarms by itself."""

    def _add(self, ping: Ping) -> None:
        self._queue.append(ping)
        self._loop.wake()

    def _tell_all(self) -> None:
        while self._queue:
            ping = self._queue.popleft()
            with self._loop.duty.aside(f"a ping of {ping.job}"):
                self._tell(ping)

    def _tell(self, ping: Ping) -> None:
        reason = self._try(ping)
        if reason and ping.job not in self._failing:
            log.warning("the watcher of %s cannot be told of its runs: %s", ping.job, reason)
            self._failing.add(ping.job)
        elif not reason and ping.job in self._failing:
            log.info("the watcher of %s is told of its runs again", ping.job)
            self._failing.discard(ping.job)

    def _try(self, ping: Ping) -> str:
        """Send a ping, up to TRIES times; return why the last try failed, or an empty text."""
        body, reason = ping.body[:MAX_BODY].encode(errors="replace"), ""
        for attempt in range(1, TRIES + 1):
            try:
                self._client.post(ping.url, body, {"Content-Type": "text/plain; charset=utf-8"})
                return ""
            except http.RequestFailed as exc:
                reason = str(exc)
            # A long queue is worked off without pauses.
            if attempt < TRIES and not self._loop.is_stopping and len(self._queue) < MOST_WAITING // 2:
                self._loop.sleep(PAUSE_SECONDS)
        return reason


def address(url: str, suffix: str, run: Run | None = None) -> str:
    """Build the address of a ping: the suffix ends the path, and the run's id goes into the query as a UUID.

    https://healthchecks.io/docs/http_api/
    """
    parts = urlsplit(url)
    query = [parts.query] if parts.query else []
    if run is not None:
        query.append(urlencode({"rid": uuid.uuid5(uuid.NAMESPACE_URL, f"{url} {run.id} {run.started_at.isoformat()}")}))
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + suffix, "&".join(query), ""))


def try_ping(url: str) -> str:
    """Send a ping that changes nothing; return why it failed, or an empty text."""
    try:
        http.Client().post(address(url, "/log"), b"a test of Janitor's pings", {"Content-Type": "text/plain"})
    except http.RequestFailed as exc:
        return str(exc)
    return ""
