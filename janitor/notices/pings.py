"""The dead-man's ping: each run's start and end told to an outside watcher, which alarms when it hears nothing."""

import collections
import logging
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit

from janitor import http
from janitor.engine.stages import Slot
from janitor.jobs.job import Job
from janitor.runs import Outcome, Run
from janitor.state.run_records import BY_HAND, Ending, LostSlots

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
"""How a run's end is told. One that was cancelled or interrupted is not: the next one is, or the watcher alarms."""


@dataclass(frozen=True)
class Ping:
    """One thing to tell the watcher."""

    job: str
    url: str
    body: str = ""


class Pinger:
    """Watches the runs of this process and tells of them from a thread of its own; a full queue loses the oldest."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        """`urls` are the watcher's addresses by job; jobs that are not in it are not told of."""
        self._urls = urls
        self._queue: collections.deque[Ping] = collections.deque(maxlen=MOST_WAITING)
        self._told_of: set[int] = set()
        self._news, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._loop, name="pings", daemon=True)
        self._connections = http.Connections(read_seconds=10.0)
        self._failing: set[str] = set()

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Let the thread end, after what waits has been tried once, or when the time is over."""
        self._stop.set()
        self._news.set()
        self._thread.join(seconds)

    def began(self, job: Job, slot: Slot, run: Run) -> None:
        """Called by the runner, in the run's thread."""
        url = self._urls.get(job.id)
        if url is not None and slot.origin != BY_HAND and not run.dry_run:
            self._told_of.add(run.id)
            self._add(Ping(job.id, address(url, "/start", run)))

    def ended(self, job: Job, run: Run, ending: Ending) -> None:
        """Called by the runner, in the run's thread."""
        if run.id in self._told_of:
            self._told_of.discard(run.id)
            suffix = SUFFIXES.get(ending.outcome)
            if suffix is not None:
                self._add(Ping(job.id, address(self._urls[job.id], suffix, run), ending.reason or ""))

    def lost(self, lost: LostSlots) -> None:
        """Nothing: the watcher hears of no slot that got no run, and alarms by itself."""

    def _add(self, ping: Ping) -> None:
        self._queue.append(ping)
        self._news.set()

    def _loop(self) -> None:
        while not self._stop.is_set() or self._queue:
            while self._queue:
                self._tell(self._queue.popleft())
            if not self._stop.is_set():
                self._news.wait()
                self._news.clear()

    def _tell(self, ping: Ping) -> None:
        body = ping.body[:MAX_BODY].encode()
        for attempt in range(1, TRIES + 1):
            try:
                http.post(self._connections, ping.url, body, {"Content-Type": "text/plain; charset=utf-8"})
                break
            except http.Failed as exc:
                reason = str(exc)
                if attempt < TRIES and not self._stop.is_set() and len(self._queue) < MOST_WAITING // 2:
                    self._stop.wait(PAUSE_SECONDS)
        else:
            if ping.job not in self._failing:
                log.warning("the watcher of %s cannot be told of its runs: %s", ping.job, reason)
            self._failing.add(ping.job)
            return
        if ping.job in self._failing:
            log.info("the watcher of %s is told of its runs again", ping.job)
            self._failing.discard(ping.job)


def address(url: str, suffix: str, run: Run | None = None) -> str:
    """Where to tell of a run: the suffix goes to the path's end, the run's id as a UUID into the query.

    https://healthchecks.io/docs/http_api/
    """
    parts = urlsplit(url)
    query = [parts.query] if parts.query else []
    if run is not None:
        query.append(urlencode({"rid": uuid.uuid5(uuid.NAMESPACE_URL, f"{url} {run.id} {run.started_at.isoformat()}")}))
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + suffix, "&".join(query), ""))


def try_ping(url: str) -> str:
    """Tell a watcher something that changes nothing; why that did not work, empty where it did."""
    try:
        http.post(
            http.Connections(), address(url, "/log"), b"a test of Janitor's pings", {"Content-Type": "text/plain"}
        )
    except http.Failed as exc:
        return str(exc)
    return ""
